import type { Message } from "../../client";
import type { Strings } from "../strings/Strings";
import { fileLabel } from "./FileCard";
import { formatText, plainText } from "./formatText";
import { mediaKind } from "./mediaKind";

/** So much of a text is enough to know it again. */
const MAX_CHARACTERS = 240;

/** A message in a line, as a quote has it. */
export function summary(message: Message, strings: Strings): string {
  const { type, location, contacts } = message;
  const text = message.text === undefined ? undefined : inLine(message.text);
  if (message.deletedAt !== undefined) return strings.deleted;
  if (location) return join(strings.kinds.location, text ?? location.name ?? location.address);
  if (contacts) return join(strings.kinds.contacts, contacts.map(({ name }) => name).join(", "));
  if (hasMedium(message)) return join(strings.kinds[mediaKind(message)], text ?? fileLabel(message));
  if (text !== undefined) return text;
  return type in strings.kinds ? strings.kinds[type as keyof Strings["kinds"]] : strings.unsupported;
}

/** The beginning of a text, without the signs that format it. */
export function inLine(text: string): string {
  return plainText(formatText(text.slice(0, MAX_CHARACTERS)));
}

/** A medium belongs to it, even where nobody knows its address. */
export function hasMedium({ type, mediaUrl, mediaId, deletedAt }: Message): boolean {
  if (deletedAt !== undefined) return false;
  return mediaUrl !== undefined || mediaId !== undefined || MEDIA_TYPES.has(type);
}

const MEDIA_TYPES: ReadonlySet<string> = new Set(["image", "video", "audio", "voice", "document", "sticker"]);

function join(kind: string, words: string | undefined): string {
  return words ? `${kind}: ${words}` : kind;
}
