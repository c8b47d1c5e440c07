import { useLayoutEffect, useRef } from "preact/hooks";
import { CloseIcon, OpenIcon } from "../icons";
import { useTexts } from "../Texts";

interface LightboxProps {
  source: string;
  onClose: () => void;
}

/** A picture over the whole page. Escape, the button or a click beside the picture closes it; the browser gives the focus back. */
export function Lightbox({ source, onClose }: LightboxProps) {
  const { strings } = useTexts();
  const dialog = useRef<HTMLDialogElement>(null);
  const close = () => dialog.current?.close();
  useLayoutEffect(() => {
    dialog.current?.showModal();
    return close;
  }, []);
  return (
    <dialog class="lightbox" ref={dialog} data-testid="lightbox" aria-label={strings.kinds.image} onClose={onClose} onClick={close}>
      <div class="lightbox-bar">
        <a href={source} target="_blank" rel="noopener noreferrer" aria-label={strings.openOriginal} title={strings.openOriginal}>
          <OpenIcon />
        </a>
        <button type="button" aria-label={strings.close} title={strings.close} onClick={close}>
          <CloseIcon />
        </button>
      </div>
      <img src={source} alt={strings.kinds.image} onClick={(event) => event.stopPropagation()} />
    </dialog>
  );
}
