import { useState } from "preact/hooks";
import { FileIcon } from "./icons";
import { fileName, mediaKind, type MediaKind } from "./mediaKind";
import { Picture } from "./Picture";
import { safeUrl } from "./splitLinks";
import { useTexts } from "./Texts";

interface MediaProps {
  url: string;
  type: string | undefined;
}

/** What could not be shown, so that it is not tried again each time its message comes back into the page. */
const brokenSources = new Set<string>();

/** An attachment, shown in place where the browser can, and as a link to it otherwise. */
export function Media({ url, type }: MediaProps) {
  const { strings } = useTexts();
  const source = safeUrl(url);
  const [broken, setBroken] = useState(() => source !== undefined && brokenSources.has(source));
  if (source === undefined) return <p class="blocked">{strings.blockedMedia}</p>;

  const kind = mediaKind(source, type);
  const onError = () => {
    brokenSources.add(source);
    setBroken(true);
  };
  if (broken || kind === "file") return <FileLink href={source} kind={kind} />;
  if (kind === "image") return <Picture source={source} onError={onError} />;
  const player = { class: kind, controls: true, preload: "metadata", src: source, "aria-label": strings[kind], onError } as const;
  return kind === "audio" ? <audio {...player} /> : <video {...player} />;
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
