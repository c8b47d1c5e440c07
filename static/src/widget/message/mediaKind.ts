import type { Message } from "../../client";

/** How an attachment is shown. */
export type MediaKind = "image" | "sticker" | "audio" | "voice" | "video" | "document";

/** Message types that say how an attachment is shown. */
const KINDS: ReadonlySet<string> = new Set<MediaKind>(["image", "sticker", "audio", "voice", "video", "document"]);

/** Those that a file of this sort may be shown as. */
const SORTS: Record<string, readonly MediaKind[]> = {
  image: ["image", "sticker"],
  audio: ["audio", "voice"],
  video: ["video"],
};

/** The message's type decides, and the MIME type what it is of that sort; a document is one whatever is in it. */
export function mediaKind({ type, mediaType }: Pick<Message, "type" | "mediaType">): MediaKind {
  const named = KINDS.has(type) ? (type as MediaKind) : "document";
  const kinds = SORTS[mediaType?.split("/")[0]?.trim().toLowerCase() ?? ""];
  // Of a type that is not known nothing else says what its medium is.
  if (kinds === undefined || type === "document") return named;
  return kinds.find((kind) => kind === named) ?? kinds[0]!;
}

/** What a file is, in a word such as `PDF`: by its name, else by its MIME type; undefined when neither says. */
export function fileType(name: string | undefined, mediaType: string | undefined): string | undefined {
  const extension = extensionOf(name);
  if (extension !== undefined && extension.length <= 5) return extension.toUpperCase();
  const subtype = mediaType?.split(/[/;]/)[1]?.trim();
  return subtype !== undefined && /^[a-z0-9]{1,5}$/i.test(subtype) ? subtype.toUpperCase() : undefined;
}

function extensionOf(path: string | undefined): string | undefined {
  return /\.([a-z0-9]+)$/i.exec(path ?? "")?.[1]?.toLowerCase();
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
