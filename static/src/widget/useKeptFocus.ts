import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";

/**
 * Keeps the keyboard in the page: when what had the focus goes, such as the banner's button once the connection is
 * back, the log takes it, or the page where there is no log. Otherwise the next key would go nowhere.
 */
export function useKeptFocus(page: RefObject<HTMLElement | null>): void {
  const focused = useRef<Element | null>(null);
  useLayoutEffect(() => {
    const remember = ({ target }: FocusEvent) => (focused.current = target as Element);
    const element = page.current;
    element?.addEventListener("focusin", remember);
    return () => element?.removeEventListener("focusin", remember);
  }, [page]);
  useLayoutEffect(() => {
    const gone = focused.current !== null && !focused.current.isConnected;
    if (!gone) return;
    focused.current = null;
    if (document.activeElement !== document.body) return;
    const place = page.current?.querySelector<HTMLElement>("[role=log]") ?? page.current;
    place?.focus({ preventScroll: true });
  });
}
