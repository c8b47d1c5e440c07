import type { Message } from "../../client";
import { excerpt } from "./excerpt";
import { mediaKind, type MediaKind } from "./mediaKind";
import { hasMedium } from "./summary";

/** What the style sheet makes of a message, in pixels, as far as a guess needs to know. */
const LINE = 21;
const BUBBLE = 18;
const GROUP_GAP = 7;
const QUOTE = 56;
const REACTIONS = 14;
const FAILURE = 31;
const CARD = 58;
const ATTACHMENTS: Record<MediaKind, number> = {
  image: 184,
  sticker: 140,
  video: 190,
  audio: 48,
  voice: 48,
  document: CARD,
};

/** So many characters of a text are a line of it, in a page that is neither wide nor narrow. */
const IN_LINE = 46;

/** How high a message may be: rows that have not been in view take up so much room until they are. */
export function guessHeight(message: Message, startsGroup: boolean): number {
  const { text = "", location, contacts = [], replyTo, reactions, status } = message;
  const written = excerpt(text) ?? text;
  const lines = written.split("\n").reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / IN_LINE)), 0);
  return (
    BUBBLE +
    lines * LINE +
    (startsGroup ? GROUP_GAP : 0) +
    (replyTo ? QUOTE : 0) +
    (location ? CARD : 0) +
    contacts.length * CARD +
    (hasMedium(message) ? ATTACHMENTS[mediaKind(message)] : 0) +
    (reactions ? REACTIONS : 0) +
    (status === "failed" ? FAILURE : 0)
  );
}
