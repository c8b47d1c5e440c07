import type { Message } from "../../client";
import { AudioIcon, FileIcon, PictureIcon, VideoIcon } from "../icons";
import { useTexts } from "../Texts";
import { safeUrl } from "./links";
import { fileName, fileType, plainName, type MediaKind } from "./mediaKind";

const ICONS: Record<MediaKind, () => preact.JSX.Element> = {
  image: PictureIcon,
  sticker: PictureIcon,
  video: VideoIcon,
  audio: AudioIcon,
  voice: AudioIcon,
  document: FileIcon,
};

interface FileCardProps {
  message: Message;
  kind: MediaKind;
  /** Where it is; missing when that is not known. */
  href?: string;
  /** Why it is not shown as what it is. */
  trouble?: string;
  onRetry?: () => void;
}

/** A file by its name, type and size, and the way to it. */
export function FileCard({ message, kind, href, trouble, onRetry }: FileCardProps) {
  const { strings, formats } = useTexts();
  const { mediaType, fileSize } = message;
  const name = (message.fileName && plainName(message.fileName)) || (href && fileName(href)) || strings.kinds[kind];
  const facts = [
    href && new URL(href).host,
    fileType(name, mediaType),
    fileSize !== undefined && fileSize >= 0 ? formats.size(fileSize) : undefined,
  ].filter(Boolean);
  const Icon = ICONS[kind];
  const inside = (
    <>
      <span class="file-icon">
        <Icon />
      </span>
      <span class="file-names">
        <bdi class="file-name">{name}</bdi>
        <span class="file-facts">{facts.join(" · ")}</span>
      </span>
    </>
  );
  return (
    <>
      {href === undefined ? (
        <span class="file">{inside}</span>
      ) : (
        <a class="file" href={href} target="_blank" rel="noopener noreferrer">
          {inside}
        </a>
      )}
      {trouble !== undefined && (
        <p class="trouble">
          <span>{trouble}</span>
          {onRetry && (
            <button type="button" data-testid="media-retry" onClick={onRetry}>
              {strings.tryAgain}
            </button>
          )}
        </p>
      )}
    </>
  );
}

/** What is said of an attachment in a line, such as a quote's. */
export function fileLabel({ fileName: name, mediaUrl }: Message): string | undefined {
  if (name !== undefined) return plainName(name);
  const source = mediaUrl === undefined ? undefined : safeUrl(mediaUrl);
  return source && fileName(source);
}
