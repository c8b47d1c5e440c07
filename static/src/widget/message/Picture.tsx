import { useState } from "preact/hooks";
import { useTexts } from "../Texts";
import { useLazy } from "../useLazy";

interface PictureProps {
  source: string;
  kind: "image" | "sticker";
  onError: () => void;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

const loadLightbox = async () => (await import("./Lightbox")).Lightbox;

/** How large the pictures are that have been seen: one that comes back into the page takes its room at once. */
const sizes = new Map<string, Size>();

/** An image, and on a click all of it. */
export function Picture({ source, kind, onError }: PictureProps) {
  const { strings } = useTexts();
  const [size, setSize] = useState(() => sizes.get(source));
  const [enlarged, setEnlarged] = useState(false);
  const Lightbox = useLazy(enlarged, loadLightbox);
  const onLoad = ({ currentTarget: { naturalWidth, naturalHeight } }: { currentTarget: HTMLImageElement }) => {
    // A drawing without a size of its own is as large as the page lets it be.
    const loaded = { width: naturalWidth || 240, height: naturalHeight || 180 };
    sizes.set(source, loaded);
    setSize(loaded);
  };
  return (
    <>
      <button
        type="button"
        class={`picture ${kind}`}
        data-testid="picture"
        data-loaded={size !== undefined}
        aria-label={strings.enlarge}
        onClick={() => setEnlarged(true)}
      >
        <img
          {...size}
          loading="lazy"
          decoding="async"
          src={source}
          alt={strings.kinds[kind]}
          onLoad={onLoad}
          onError={onError}
        />
      </button>
      {enlarged && Lightbox && <Lightbox source={source} onClose={() => setEnlarged(false)} />}
    </>
  );
}
