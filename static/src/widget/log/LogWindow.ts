import type { Message } from "../../client";

/** So many messages are rows of the page at most, which find in page, copy and print have before them. */
export const MAX_ROWS = 1000;

/** So many rows are put into the page at a stretch: a few milliseconds' work. */
export const STEP = 40;

/** An agent who is at the end and falls further behind than this is taken to the end over what is in between. */
const JUMP = 3 * STEP;

/** What decides in which direction the window grows. */
export interface Wish {
  /** The agent is at the end of the log and goes along with it. */
  readonly following: boolean;
  /** The view is near the first row, or near the last. */
  readonly near: "first" | "last" | undefined;
  /** The messages that may not leave the page: one plays, or has the focus. */
  readonly kept: ReadonlySet<string>;
}

/**
 * Which of the messages are rows of the page: a stretch that grows a step at a time, so that the page is never busy for
 * long, until all are in or there are as many as there may be. From then on it moves with the reader.
 */
export class LogWindow {
  #messages: readonly Message[] = [];
  #first = 0;
  #end = 0;

  get messages(): readonly Message[] {
    return this.#messages;
  }

  /** The first message that is a row. */
  get first(): number {
    return this.#first;
  }

  /** Behind the last one. */
  get end(): number {
    return this.#end;
  }

  /** The last message that is known is a row. */
  get reachesEnd(): boolean {
    return this.#end === this.#messages.length;
  }

  /** Where a message stands; -1 where it is not known. */
  indexOf(messageId: string): number {
    return this.#messages.findLastIndex((message) => message.messageId === messageId);
  }

  has(index: number): boolean {
    return index >= this.#first && index < this.#end;
  }

  /** Takes in the messages as they are now. Rows stay rows wherever others have come or gone. */
  take(messages: readonly Message[], wish: Wish): void {
    const before = this.#messages;
    if (before === messages) return;
    const reachedEnd = this.reachesEnd;
    this.#messages = messages;
    if (before.length === 0) this.#first = this.#end = messages.length;
    else this.#first = this.#find(before, this.#first, 1) ?? messages.length;
    const last = this.#find(before, this.#end - 1, -1);
    this.#end = Math.max(this.#first, last === undefined ? this.#first : last + 1);
    const behind = messages.length - this.#end;
    if (wish.following && behind > JUMP && wish.kept.size === 0) this.toEnd();
    else if (reachedEnd && behind <= STEP) this.#end = messages.length;
    else if (wish.following) this.#end += Math.min(behind, STEP);
    if (this.#first === this.#end) this.#first = Math.max(0, this.#end - STEP);
    this.#trim(wish);
  }

  /** Grows by a step or moves by one; answers whether there was anything to do. */
  grow(wish: Wish): boolean {
    const { following, near } = wish;
    const size = this.#end - this.#first;
    const above = this.#first > 0 && (size < MAX_ROWS || near === "first");
    const below = !this.reachesEnd && (following || size < MAX_ROWS || near === "last");
    if (!above && !below) return false;
    const { first, end } = this;
    if (below && (following || near === "last" || !above)) this.#end = Math.min(this.#messages.length, end + STEP);
    else this.#first = Math.max(0, first - STEP);
    this.#trim(wish);
    return this.#first !== first || this.#end !== end;
  }

  /** Leaves what is in the page, and begins anew around a message. */
  jumpTo(index: number): void {
    this.#first = Math.max(0, Math.min(index - STEP / 2, this.#messages.length - STEP));
    this.#end = Math.min(this.#messages.length, this.#first + 2 * STEP);
  }

  /**
   * Shows the last messages, by a jump if the way is long; where a row is to be kept, the window grows there a step at a
   * time, as it does for an agent who goes along with the end.
   */
  toEnd(kept: Wish["kept"] = new Set()): void {
    const far = this.#messages.length - this.#end > JUMP;
    if (far && kept.size > 0) return;
    if (far) this.#first = Math.max(0, this.#messages.length - STEP);
    this.#end = this.#messages.length;
  }

  /** Takes out what is too much, at the side that is further from the view, as far as nothing there is to be kept. */
  #trim({ near, kept }: Wish): void {
    const excess = this.#end - this.#first - MAX_ROWS;
    if (excess <= 0) return;
    const isKept = (index: number) => kept.has(this.#messages[index]?.messageId ?? "");
    for (let count = 0; count < excess; count += 1) {
      if (isKept(near === "first" ? this.#end - 1 : this.#first)) return;
      if (near === "first") this.#end -= 1;
      else this.#first += 1;
    }
  }

  /** Where the row that was at `index` is now, or else the next one of those that were rows and still are known. */
  #find(before: readonly Message[], index: number, step: 1 | -1): number | undefined {
    for (let at = index; at >= 0 && at < before.length; at += step) {
      const { messageId } = before[at]!;
      if (this.#messages[at]?.messageId === messageId) return at;
      const now = this.indexOf(messageId);
      if (now >= 0) return now;
    }
    return undefined;
  }
}
