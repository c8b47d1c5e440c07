import type { KnownMessageType, Message } from "./Message";

const EXTENSIONS: ReadonlyMap<string, KnownMessageType> = new Map<string, KnownMessageType>([
  ...["jpg", "jpeg", "png", "gif", "webp", "avif", "bmp", "svg"].map((ext) => [ext, "image"] as const),
  ...["ogg", "oga", "opus", "mp3", "m4a", "aac", "amr", "wav"].map((ext) => [ext, "audio"] as const),
  ...["mp4", "m4v", "webm", "3gp", "mov"].map((ext) => [ext, "video"] as const),
]);

/** What a message is, told from what it has, as the gateway does it for those that pass through its decoder. */
export function tellType(message: Partial<Message>): KnownMessageType {
  const { text, mediaUrl, mediaId, mediaType, fileName, location, contacts } = message;
  if (location) return "location";
  if (contacts) return "contacts";
  if (mediaUrl !== undefined || mediaId !== undefined) return tellMedium(mediaType, fileName ?? mediaUrl ?? "");
  return text === undefined ? "unsupported" : "text";
}

function tellMedium(mediaType: string | undefined, name: string): KnownMessageType {
  const kind = mediaType?.split("/")[0]?.trim().toLowerCase();
  if (kind === "image" || kind === "audio" || kind === "video") return kind;
  if (kind !== undefined) return "document";
  const extension = /\.([a-z0-9]+)(?:[?#].*)?$/i.exec(name)?.[1]?.toLowerCase();
  return EXTENSIONS.get(extension ?? "") ?? "document";
}
