import { splitLinks, type TextPart } from "./links";

/** What WhatsApp's signs make of a text. */
export type Style = "bold" | "italic" | "struck" | "code" | "block";

export interface Styled {
  readonly style: Style;
  readonly pieces: readonly Piece[];
}

/** A stretch of plain text or a link, or pieces in a style. */
export type Piece = TextPart | Styled;

const SIGNS: ReadonlyMap<string, Style> = new Map([
  ["*", "bold"],
  ["_", "italic"],
  ["~", "struck"],
]);

const BLOCK = /```\n?([^`]+(?:`{1,2}[^`]+)*?)```/g;
const WORD = /[\p{L}\p{N}]/u;
const SPACE = /^\s*$/;

/** Reads *bold*, _italic_, ~struck~, `code` and ``` blocks as WhatsApp does: signs within words stay signs. */
export function formatText(text: string): Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(BLOCK)) {
    pieces.push(...formatLines(text.slice(end, match.index)));
    pieces.push({ style: "block", pieces: [{ text: match[1]?.replace(/\n$/, "") ?? "" }] });
    end = match.index + match[0].length;
  }
  pieces.push(...formatLines(text.slice(end)));
  return pieces;
}

/** The text without its signs, as a quote has it. */
export function plainText(pieces: readonly Piece[]): string {
  return pieces.map((piece) => ("style" in piece ? plainText(piece.pieces) : piece.text)).join("");
}

/** A style begins and ends within a line. */
function formatLines(text: string): Piece[] {
  if (!/[*_~`]/.test(text)) return splitLinks(text);
  return text.split(/(?<=\n)/).flatMap((line) => new Line(splitLinks(line)).read());
}

/** A style that has begun and may never end: then its sign was only a sign. */
interface Open {
  readonly sign: string;
  readonly pieces: Piece[];
}

class Line {
  readonly #parts: readonly TextPart[];
  readonly #open: Open[] = [{ sign: "", pieces: [] }];

  constructor(parts: readonly TextPart[]) {
    this.#parts = parts;
  }

  read(): Piece[] {
    for (const [index, part] of this.#parts.entries()) {
      if (part.href !== undefined) this.#put(part);
      // A link beside a sign is something to begin or end with, and nothing of a word.
      else this.#readText(part.text, index > 0 ? "." : "", index < this.#parts.length - 1 ? "." : "");
    }
    while (this.#open.length > 1) this.#giveUp();
    return this.#open[0]!.pieces;
  }

  #readText(text: string, before: string, after: string): void {
    let plain = 0;
    const flush = (end: number) => {
      if (end > plain) this.#put({ text: text.slice(plain, end) });
    };
    for (let at = 0; at < text.length; at += 1) {
      const sign = text[at]!;
      const previous = at > 0 ? charBefore(text, at) : before;
      if (sign === "`") {
        const end = text.indexOf("`", at + 1);
        if (end < 0 || SPACE.test(text.slice(at + 1, end))) continue;
        flush(at);
        this.#put({ style: "code", pieces: [{ text: text.slice(at + 1, end) }] });
        at = end;
        plain = end + 1;
        continue;
      }
      if (!SIGNS.has(sign)) continue;
      const next = at + 1 < text.length ? String.fromCodePoint(text.codePointAt(at + 1)!) : after;
      const depth = this.#open.findIndex((open) => open.sign === sign);
      if (depth > 0) {
        if (SPACE.test(previous) || WORD.test(next)) continue;
        flush(at);
        if (this.#close(depth)) plain = at + 1;
        else plain = at;
      } else if (!WORD.test(previous) && !SPACE.test(next) && next !== sign) {
        flush(at);
        this.#open.push({ sign, pieces: [] });
        plain = at + 1;
      }
    }
    flush(text.length);
  }

  #put(piece: Piece): void {
    this.#open.at(-1)!.pieces.push(piece);
  }

  /** Ends a style, and gives up what has begun in it; answers false where there is nothing in it. */
  #close(depth: number): boolean {
    if (this.#open.length - 1 === depth && this.#open[depth]!.pieces.length === 0) return false;
    while (this.#open.length - 1 > depth) this.#giveUp();
    const { sign, pieces } = this.#open.pop()!;
    this.#put({ style: SIGNS.get(sign)!, pieces });
    return true;
  }

  #giveUp(): void {
    const { sign, pieces } = this.#open.pop()!;
    for (const piece of [{ text: sign }, ...pieces]) this.#put(piece);
  }
}

/** The character before a place, both halves of it. */
function charBefore(text: string, at: number): string {
  const last = text[at - 1]!;
  return /[\udc00-\udfff]/.test(last) ? text.slice(at - 2, at) : last;
}
