/** A stretch of text, with the address it leads to if it is a link. */
export interface TextPart {
  readonly text: string;
  readonly href?: string;
}

const ADDRESS = /https?:\/\/[^\s<>"]+/gi;

/** What ends a sentence rather than an address. */
const TRAILING = /[.,;:!?'’”»…*_~]+$/;

const PAIRS = [
  ["(", ")"],
  ["[", "]"],
] as const;

/** Finds the http and https addresses in a text. The parts put together are the text again. */
export function splitLinks(text: string): TextPart[] {
  const parts: TextPart[] = [];
  let end = 0;
  for (const match of text.matchAll(ADDRESS)) {
    const address = trim(match[0]);
    const href = safeUrl(address);
    if (href === undefined) continue;
    if (match.index > end) parts.push({ text: text.slice(end, match.index) });
    parts.push({ text: address, href });
    end = match.index + address.length;
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
  let rest = address.replace(TRAILING, "");
  for (const [open, close] of PAIRS) {
    if (rest.endsWith(close) && count(rest, close) > count(rest, open)) rest = rest.slice(0, -1).replace(TRAILING, "");
  }
  return rest === address ? rest : trim(rest);
}

function count(text: string, sign: string): number {
  return text.split(sign).length - 1;
}
