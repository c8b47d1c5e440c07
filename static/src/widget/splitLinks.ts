/** A stretch of text, with the address it leads to if it is a link. */
export interface TextPart {
  readonly text: string;
  readonly href?: string;
}

// Not across a sign that turns the direction of writing, behind which an address looks like another one.
const ADDRESS = /https?:\/\/[^\s<>"\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]+/gi;

/** What is longer than this many characters is no address that anybody has written. */
const MAX_LENGTH = 2048;

/** A text with more links than this is no letter; the rest of them stay text. */
const MAX_LINKS = 100;

/** What ends a sentence rather than an address. */
const TRAILING = new Set(".,;:!?'’”»…*_~");

const PAIRS: ReadonlyMap<string, string> = new Map([
  [")", "("],
  ["]", "["],
]);

/** Finds the http and https addresses in a text. The parts put together are the text again. */
export function splitLinks(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  let links = 0;
  for (const match of text.matchAll(ADDRESS)) {
    if (match[0].length > MAX_LENGTH) continue;
    if (links === MAX_LINKS) break;
    const address = trim(match[0]);
    const href = safeUrl(address);
    if (href === undefined) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push({ text: address, href });
    end = match.index + address.length;
    links += 1;
  }
  if (end < text.length) parts.push({ text: text.slice(end) });
  return parts;
}

/** The address if it is absolute and http or https: nothing else becomes a link or a source. */
export function safeUrl(address: string): string | undefined {
  if (!URL.canParse(address)) return undefined;
  const url = new URL(address);
  return url.protocol === "https:" || url.protocol === "http:" ? url.href : undefined;
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
