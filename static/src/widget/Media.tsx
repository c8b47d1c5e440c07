import { useState } from "preact/hooks";
import { FileIcon } from "./icons";
import { fileName, mediaKind, type MediaKind } from "./mediaKind";
import { safeUrl } from "./splitLinks";
import { useTexts } from "./Texts";

interface MediaProps {
  url: string;
  type: string | undefined;
}

/** An attachment, shown in place where the browser can, and as a link to it otherwise. */
export function Media({ url, type }: MediaProps) {
  const { strings } = useTexts();
  const [broken, setBroken] = useState(false);
  const source = safeUrl(url);
  if (source === undefined) return <p class="blocked">{strings.blockedMedia}</p>;

  const kind = mediaKind(source, type);
  const onError = () => setBroken(true);
  if (broken || kind === "file") return <FileLink href={source} kind={kind} />;
  if (kind === "image") return <Picture source={source} onError={onError} />;
  if (kind === "audio") {
    return <audio class="audio" controls preload="metadata" src={source} aria-label={strings.audio} onError={onError} />;
  }
  return <video class="video" controls preload="metadata" src={source} aria-label={strings.video} onError={onError} />;
}

function Picture({ source, onError }: { source: string; onError: () => void }) {
  const [loaded, setLoaded] = useState(false);
  return (
    <a class="picture" data-loaded={loaded} href={source} target="_blank" rel="noopener noreferrer">
      <img
        loading="lazy"
        decoding="async"
        src={source}
        alt={useTexts().strings.image}
        onLoad={() => setLoaded(true)}
        onError={onError}
      />
    </a>
  );
}

function FileLink({ href, kind }: { href: string; kind: MediaKind }) {
  const { strings } = useTexts();
  return (
    <a class="file" href={href} target="_blank" rel="noopener noreferrer">
      <span class="file-icon">
        <FileIcon />
      </span>
      <span class="file-names">
        <bdi class="file-name">{fileName(href) ?? strings[kind]}</bdi>
        <span class="file-host">{new URL(href).host}</span>
      </span>
    </a>
  );
}
