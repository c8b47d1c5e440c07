import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

interface Modal {
  readonly dialog: RefObject<HTMLDialogElement | null>;
  readonly close: () => void;
}

/**
 * A dialog over the page for as long as its component is there. Escape closes it, as does a click on anything but what
 * `inside` selects; the browser gives the focus back.
 */
export function useModal(inside: string): Modal {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    const element = dialog.current;
    const onClick = ({ target }: Event) => {
      if (target instanceof Element && !target.closest(inside)) element?.close();
    };
    element?.addEventListener("click", onClick);
    element?.showModal();
    return () => {
      element?.removeEventListener("click", onClick);
      element?.close();
    };
  }, [inside]);
  return { dialog, close: () => dialog.current?.close() };
}
