import { mediaKind, type MediaKind } from "./mediaKind";
import { excerpt } from "./excerpt";
import { safeUrl } from "./splitLinks";
import type { Row, Timeline } from "./Timeline";

/** What the style sheet makes of a message, in pixels, as far as a guess needs to know. */
const LINE = 21;
const CHARACTER = 7.3;
const BUBBLE = 15;
const BUBBLE_SIDES = 20;
const WIDEST_BUBBLE = 620;
const GROUP_GAP = 8;
const FAILURE = 31;
const ATTACHMENTS: Record<MediaKind, number> = { image: 184, audio: 48, video: 190, file: 56 };

/**
 * How high the rows are, and so where each one stands: as measured where one has been drawn, and guessed where
 * not. Rows that are not drawn take up their room all the same.
 */
export class RowHeights {
  readonly #timeline: Timeline;
  readonly #measured = new Map<string, number>();
  /** The top of each row, its day's heading included, and last the bottom of all; right up to `#valid`. */
  #tops: number[] = [0];
  #valid = 0;
  #width = 400;
  #heading = 40;

  constructor(timeline: Timeline) {
    this.#timeline = timeline;
  }

  /** The height of all rows. */
  get total(): number {
    return this.top(this.#timeline.length);
  }

  /** The height of a day's heading, with the room around it. */
  get heading(): number {
    return this.#heading;
  }

  set heading(height: number) {
    if (height === this.#heading) return;
    this.#heading = height;
    this.#valid = 0;
  }

  /** The log's width. Text flows anew in another one: nothing that was measured holds. */
  get width(): number {
    return this.#width;
  }

  set width(width: number) {
    if (width === this.#width) return;
    this.#width = width;
    this.#measured.clear();
    this.#valid = 0;
  }

  /** The rows from this one on are others, or new. */
  changedFrom(index: number): void {
    this.#valid = Math.min(this.#valid, index);
  }

  /** Says how high a row is, without its day's heading. */
  measure(index: number, messageId: string, height: number): void {
    if (this.#measured.get(messageId) === height) return;
    this.#measured.set(messageId, height);
    this.changedFrom(index);
  }

  /** Where a row begins, in pixels from the top of the first one. */
  top(index: number): number {
    for (; this.#valid < index; this.#valid += 1) {
      this.#tops[this.#valid + 1] = (this.#tops[this.#valid] ?? 0) + this.#height(this.#valid);
    }
    return this.#tops[index] ?? 0;
  }

  /** The row that covers this many pixels from the top; the first or last where none does. */
  at(y: number): number {
    let low = 0;
    let high = this.#timeline.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.top(middle + 1) > y) high = middle;
      else low = middle + 1;
    }
    return low;
  }

  #height(index: number): number {
    const row = this.#timeline.row(index);
    if (!row) return 0;
    const height = this.#measured.get(row.message.messageId) ?? guess(row, this.#width);
    return row.startsDay ? height + this.#heading : height;
  }
}

function guess({ message, startsGroup }: Row, width: number): number {
  const { text, mediaUrl, mediaType, status } = message;
  const inLine = Math.max(10, (Math.min(width * 0.85, WIDEST_BUBBLE) - BUBBLE_SIDES) / CHARACTER);
  let lines = 1;
  if (text !== undefined) {
    const written = excerpt(text) ?? text;
    lines = written.split("\n").reduce((sum, line) => sum + Math.max(1, Math.ceil(line.length / inLine)), 0);
  }
  const source = mediaUrl === undefined ? undefined : safeUrl(mediaUrl);
  return (
    BUBBLE +
    lines * LINE +
    (startsGroup ? GROUP_GAP : 0) +
    (status === "failed" ? FAILURE : 0) +
    (source === undefined ? 0 : ATTACHMENTS[mediaKind(source, mediaType)])
  );
}
