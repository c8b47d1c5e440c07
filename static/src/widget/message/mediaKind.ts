import type { Message } from "../../client";

type Attachment = Pick<Message, "type" | "mediaUrl" | "mediaType" | "fileName">;

/** How an attachment is shown. */
export type MediaKind = "image" | "sticker" | "audio" | "voice" | "video" | "document";

const EXTENSIONS: ReadonlyMap<string, MediaKind> = new Map<string, MediaKind>([
  ...["jpg", "jpeg", "png", "gif", "webp", "avif", "bmp", "svg"].map((ext) => [ext, "image"] as const),
  ...["ogg", "oga", "opus", "mp3", "m4a", "aac", "amr", "wav"].map((ext) => [ext, "audio"] as const),
  ...["mp4", "m4v", "webm", "3gp", "mov"].map((ext) => [ext, "video"] as const),
]);

/** Message types that say how an attachment is shown. */
const KINDS: ReadonlySet<string> = new Set<MediaKind>(["image", "sticker", "audio", "voice", "video", "document"]);

/** Those that a file of this sort may be shown as. */
const SORTS: Record<string, readonly MediaKind[]> = {
  image: ["image", "sticker"],
  audio: ["audio", "voice"],
  video: ["video"],
};

/** The MIME type decides, and the message's type what it is of that sort; a document is one whatever is in it. Without a MIME type the type decides, then the name's extension. */
export function mediaKind({ type, mediaUrl, mediaType, fileName }: Attachment): MediaKind {
  const named = KINDS.has(type) ? (type as MediaKind) : undefined;
  const sort = mediaType?.split("/")[0]?.trim().toLowerCase();
  if (sort === undefined) {
    if (named !== undefined && named !== "document") return named;
    return extensionKind(fileName) ?? extensionKind(mediaUrl && pathOf(mediaUrl)) ?? "document";
  }
  const kinds = SORTS[sort];
  if (kinds === undefined || named === "document") return named ?? "document";
  return kinds.find((kind) => kind === named) ?? kinds[0]!;
}

/** What a file is, in a word such as `PDF`: by its name, else by its MIME type; undefined when neither says. */
export function fileType(name: string | undefined, mediaType: string | undefined): string | undefined {
  const extension = extensionOf(name);
  if (extension !== undefined && extension.length <= 5) return extension.toUpperCase();
  const subtype = mediaType?.split(/[/;]/)[1]?.trim();
  return subtype !== undefined && /^[a-z0-9]{1,5}$/i.test(subtype) ? subtype.toUpperCase() : undefined;
}

function extensionKind(path: string | undefined): MediaKind | undefined {
  return EXTENSIONS.get(extensionOf(path) ?? "");
}

function extensionOf(path: string | undefined): string | undefined {
  return /\.([a-z0-9]+)$/i.exec(path ?? "")?.[1]?.toLowerCase();
}

function pathOf(url: string): string | undefined {
  return URL.canParse(url) ? new URL(url).pathname : undefined;
}

/** Signs that turn the direction of writing, so that `exe.pdf` can be the end of a name that ends in `fdp.exe`. */
const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** A name as its characters stand. */
export function plainName(name: string): string {
  return name.replace(TURNING, "");
}

/** The last part of an address's path, as a person would write it; undefined when it says nothing. */
export function fileName(url: string): string | undefined {
  const last = new URL(url).pathname.split("/").at(-1) ?? "";
  try {
    return plainName(decodeURIComponent(last)) || undefined;
  } catch {
    // Not every percent sign is an escape.
    return last;
  }
}
