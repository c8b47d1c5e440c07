/** A stretch of text, with the address it leads to if it is a link. */
export interface TextPart {
  readonly text: string;
  readonly href?: string;
}

/** Signs that turn the direction of writing: behind one an address looks like another one. */
const TURNING = "\\u061c\\u200e\\u200f\\u202a-\\u202e\\u2066-\\u2069";

/**
 * Addresses as people write them: with their scheme or from `www.` on, of mail, and phone numbers that begin with a
 * country's code, which order numbers and dates do not.
 */
const ADDRESS = new RegExp(
  [
    `(?<web>(?:https?:\\/\\/|(?<![\\w.@])www\\.)[^\\s<>"${TURNING}]+)`,
    "(?<mail>(?<![\\w.+@:/-])[\\w.+-]{1,64}@[a-z0-9-]{1,63}(?:\\.[a-z0-9-]{1,63}){1,8})",
    "(?<phone>(?<![\\w+])(?:\\+|00)[1-9](?:[ ().\\/\\u00a0-]{0,2}\\d){6,13}(?![\\w]))",
  ].join("|"),
  "gi",
);

/** What is longer than this many characters is no address that anybody has written. */
const MAX_LENGTH = 2048;

/** A text with more links than this is no letter; the rest of them stay text. */
const MAX_LINKS = 100;

/** What ends a sentence rather than an address. */
const TRAILING = new Set(".,;:!?'’”»…*_~`");

const PAIRS: ReadonlyMap<string, string> = new Map([
  [")", "("],
  ["]", "["],
]);

/** Finds the addresses in a text. The parts put together are the text again. */
export function splitLinks(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  let links = 0;
  for (const match of text.matchAll(ADDRESS)) {
    if (match[0].length > MAX_LENGTH) continue;
    if (links === MAX_LINKS) break;
    const link = readLink(match);
    if (link === undefined) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push(link);
    end = match.index + link.text.length;
    links += 1;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

function readLink({ 0: written, groups }: RegExpMatchArray): TextPart | undefined {
  if (groups?.mail !== undefined) {
    const text = trim(written);
    return { text, href: mailLink(text) };
  }
  if (groups?.phone !== undefined) return { text: written, href: phoneLink(written) };
  const text = trim(written);
  const href = safeUrl(/^www\./i.test(text) ? `https://${text}` : text);
  return href === undefined ? undefined : { text, href };
}

/** The address if it is absolute and http or https: nothing else that comes from outside becomes a link or a source. */
export function safeUrl(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  return url.protocol === "https:" || url.protocol === "http:" ? url.href : undefined;
}

/** Encoded, so that nothing of it can be taken for a subject or a body. */
export function mailLink(address: string): string {
  return `mailto:${encodeURIComponent(address).replace("%40", "@")}`;
}

export function phoneLink(number: string): string {
  return `tel:${number.replace(/[^\d+]/g, "").replace(/^00/, "+")}`;
}

/** Cuts off punctuation, and a closing bracket that was opened before the address. */
function trim(address: string): string {
  let rest = address;
  for (;;) {
    const last = rest.at(-1) ?? "";
    const open = PAIRS.get(last);
    const unopened = open !== undefined && count(rest, last) > count(rest, open);
    if (!TRAILING.has(last) && !unopened) return rest;
    rest = rest.slice(0, -1);
  }
}

function count(text: string, sign: string): number {
  return text.split(sign).length - 1;
}
