import { useState } from "preact/hooks";
import type { Message } from "../../client";
import { useTexts } from "../Texts";
import { FileCard } from "./FileCard";
import { safeUrl } from "./links";
import { mediaKind } from "./mediaKind";
import { Picture } from "./Picture";

/** What could not be shown, so that it is not tried again each time its message comes back into the page. */
const brokenSources = new Set<string>();

/** An attachment, shown in place where the browser can, and as a link to it otherwise. */
export function Media({ message }: { message: Message }) {
  const { strings } = useTexts();
  const { mediaUrl } = message;
  const source = mediaUrl === undefined ? undefined : safeUrl(mediaUrl);
  const [broken, setBroken] = useState(() => source !== undefined && brokenSources.has(source));
  const kind = mediaKind(message);
  if (mediaUrl !== undefined && source === undefined) return <p class="blocked">{strings.blockedMedia}</p>;
  if (source === undefined) return <FileCard message={message} kind={kind} trouble={strings.absentMedia} />;

  const onError = () => {
    brokenSources.add(source);
    setBroken(true);
  };
  const again = () => {
    brokenSources.delete(source);
    setBroken(false);
  };
  if (kind === "document") return <FileCard message={message} kind={kind} href={source} />;
  if (broken)
    return <FileCard message={message} kind={kind} href={source} trouble={strings.brokenMedia} onRetry={again} />;
  if (kind === "image" || kind === "sticker") return <Picture source={source} kind={kind} onError={onError} />;
  const name = strings.kinds[kind];
  const player = { controls: true, preload: "metadata", src: source, "aria-label": name, onError } as const;
  return kind === "video" ? <video class="video" {...player} /> : <audio class="audio" {...player} />;
}
