/** How an attachment is shown. */
export type MediaKind = "image" | "audio" | "video" | "file";

const EXTENSIONS: ReadonlyMap<string, MediaKind> = new Map<string, MediaKind>([
  ...["jpg", "jpeg", "png", "gif", "webp", "avif", "bmp", "svg"].map((ext) => [ext, "image"] as const),
  ...["ogg", "oga", "opus", "mp3", "m4a", "aac", "amr", "wav"].map((ext) => [ext, "audio"] as const),
  ...["mp4", "m4v", "webm", "3gp", "mov"].map((ext) => [ext, "video"] as const),
]);

/** Decides by the MIME type, and by the address's extension where there is none. */
export function mediaKind(url: string, mediaType: string | undefined): MediaKind {
  const type = mediaType?.split("/")[0]?.trim().toLowerCase();
  if (type === "image" || type === "audio" || type === "video") return type;
  if (type !== undefined) return "file";
  const extension = /\.([a-z0-9]+)$/i.exec(new URL(url).pathname)?.[1]?.toLowerCase();
  return EXTENSIONS.get(extension ?? "") ?? "file";
}

/** Signs that turn the direction of writing, so that `exe.pdf` can be the end of a name that ends in `fdp.exe`. */
const TURNING = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** The last part of an address's path, as a person would write it; undefined when it says nothing. */
export function fileName(url: string): string | undefined {
  const last = new URL(url).pathname.split("/").at(-1) ?? "";
  try {
    return decodeURIComponent(last).replace(TURNING, "") || undefined;
  } catch {
    // Not every percent sign is an escape.
    return last;
  }
}
