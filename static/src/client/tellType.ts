import type { KnownMessageType, Message } from "./Message";

const EXTENSIONS = {
  image: /\.(?:jpe?g|png|gif|webp|avif|bmp|svg)$/i,
  audio: /\.(?:og[ga]|opus|mp3|m4a|aac|amr|wav)$/i,
  video: /\.(?:mp4|m4v|webm|3gp|mov)$/i,
} as const;

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
  const path = name.replace(/[?#].*$/, "");
  return (["image", "audio", "video"] as const).find((sort) => EXTENSIONS[sort].test(path)) ?? "document";
}
