import { CloseIcon, OpenIcon } from "../icons";
import { useTexts } from "../Texts";
import { useModal } from "./useModal";

interface LightboxProps {
  source: string;
  onClose: () => void;
}

/** A picture over the whole page. */
export function Lightbox({ source, onClose }: LightboxProps) {
  const { strings } = useTexts();
  const { dialog, close } = useModal("img, a, button");
  return (
    <dialog class="lightbox" ref={dialog} data-testid="lightbox" aria-label={strings.kinds.image} onClose={onClose}>
      <div class="lightbox-bar">
        <a
          href={source}
          target="_blank"
          rel="noopener noreferrer"
          aria-label={strings.openOriginal}
          title={strings.openOriginal}
        >
          <OpenIcon />
        </a>
        <button type="button" aria-label={strings.close} title={strings.close} onClick={close}>
          <CloseIcon />
        </button>
      </div>
      <img src={source} alt={strings.kinds.image} />
    </dialog>
  );
}
