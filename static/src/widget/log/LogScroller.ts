import type { Message } from "../client";
import { composeDays, dayTop, type DrawnDay } from "./composeDays";
import { KeptRows } from "./KeptRows";
import { RowHeights } from "./RowHeights";
import { Timeline } from "./Timeline";

/** Within this many pixels of the end the agent is taken to be at it. */
const NEAR_END_PX = 40;

/** After this many milliseconds without a scroll event the log is taken to be at rest. */
const REST_MS = 150;

/** With these the agent moves the log. */
const GESTURES = ["wheel", "touchstart", "pointerdown"] as const;

/** How far beyond what is in view rows are drawn, as a part of the view, and in pixels. */
const BEYOND = { part: 0.75, least: 300, most: 700 };

/** The message at the upper edge of the view, and how far below that edge it begins: mostly above it, below zero. */
interface Anchor {
  readonly messageId: string;
  readonly index: number;
  readonly top: number;
}

/** The log's elements. */
interface Parts {
  readonly log: HTMLElement;
  /** The room above the first row that is drawn, and below the last. */
  readonly above: HTMLElement;
  readonly below: HTMLElement;
}

/**
 * Decides which rows are in the page, and where the log stands. Of thousands of messages only those in view and a
 * few around them are drawn, and those that play or have the focus. The log stays at its end while the agent is
 * there, and otherwise on the message at the upper edge, whatever comes or turns out higher than was guessed.
 */
export class LogScroller {
  readonly #timeline = new Timeline();
  readonly #heights = new RowHeights(this.#timeline);
  readonly #redraw: () => void;
  /** Drawn wherever they are. */
  readonly #kept = new KeptRows((before, now) => {
    // What is around the view is drawn anyway, and must not move under a finger that is about to lift.
    if (this.#isOutside(before) || this.#isOutside(now)) this.#redraw();
  });
  #parts: Parts | undefined;
  /** Undefined while the agent is at the end. */
  #anchor: Anchor | undefined;
  /** The last message that had come when the agent left the end. */
  #seen: string | undefined;
  /** The range around the view. */
  #first = 0;
  #end = 0;
  /** The first and last row in the page, kept ones included. */
  #upmost = 0;
  #lowest = -1;
  #viewHeight = 700;
  #lastTop = 0;
  /** On the way to an end that the agent has asked for: what an older movement still brings does not count. */
  #arriving = false;
  #resting: ReturnType<typeof setTimeout> | undefined;

  /** `redraw` is called when `draw` would answer something else. */
  constructor(redraw: () => void) {
    this.#redraw = redraw;
  }

  /** At the end, and staying there as messages come. */
  get following(): boolean {
    return this.#anchor === undefined;
  }

  /** Messages that have come since the agent left the end. */
  get unseen(): number {
    if (this.following) return 0;
    return this.#timeline.length - 1 - this.#timeline.indexOf(this.#seen);
  }

  get named(): boolean {
    return this.#timeline.named;
  }

  /** Takes in the messages, and answers what of them is to be in the page. */
  draw(messages: readonly Message[]): DrawnDay[] {
    this.#heights.changedFrom(this.#timeline.update(messages));
    const anchor = this.#anchor;
    if (anchor) {
      const index = this.#timeline.indexOf(anchor.messageId, anchor.index);
      this.#anchor = index < 0 ? undefined : { ...anchor, index };
    }
    this.#chooseRange();
    return composeDays(this.#timeline, this.#heights, this.#chooseRows());
  }

  /** Begins to watch the log, and answers how to stop. */
  attach(parts: Parts): () => void {
    this.#parts = parts;
    const { log } = parts;
    const observer = new ResizeObserver(() => {
      this.#catchUp();
      this.settle();
    });
    observer.observe(log);
    if (log.firstElementChild) observer.observe(log.firstElementChild);
    const letGo = this.#kept.attach(log);
    log.addEventListener("scroll", this.#onScroll);
    log.addEventListener("keydown", this.#onKey);
    for (const gesture of GESTURES) log.addEventListener(gesture, this.#onGesture, { passive: true });
    return () => {
      observer.disconnect();
      clearTimeout(this.#resting);
      letGo();
      log.removeEventListener("scroll", this.#onScroll);
      log.removeEventListener("keydown", this.#onKey);
      for (const gesture of GESTURES) log.removeEventListener(gesture, this.#onGesture);
    };
  }

  /** Looks at what was drawn, and puts the log where it has to be. To be called after each change to the page. */
  settle(): void {
    if (!this.#parts) return;
    this.#measure(this.#parts.log);
    this.#hold();
    if (!this.#covers(0)) this.#redraw();
  }

  /** Goes to the end. */
  follow(): void {
    this.#arriving = true;
    this.#restSoon();
    this.#anchor = undefined;
    this.#redraw();
  }

  #leave(anchor: Anchor | undefined): void {
    if (this.following) this.#seen = this.#timeline.row(this.#timeline.length - 1)?.message.messageId;
    this.#anchor = anchor;
  }

  /** The upper edge of the view, in pixels from the top of the first row. */
  get #viewTop(): number {
    const anchor = this.#anchor;
    return anchor ? this.#heights.top(anchor.index) - anchor.top : Math.max(0, this.#heights.total - this.#viewHeight);
  }

  #anchorAt(viewTop: number): Anchor | undefined {
    const index = this.#heights.at(viewTop);
    const row = this.#timeline.row(index);
    return row && { messageId: row.message.messageId, index, top: this.#heights.top(index) - viewTop };
  }

  get #beyond(): number {
    return Math.min(Math.max(this.#viewHeight * BEYOND.part, BEYOND.least), BEYOND.most);
  }

  /** Whether the range that is drawn reaches this far beyond the view. */
  #covers(beyond: number): boolean {
    const top = this.#viewTop;
    const { total } = this.#heights;
    const upper = this.#heights.top(this.#first);
    const lower = this.#heights.top(this.#end);
    return upper <= Math.max(0, top - beyond) && lower >= Math.min(total, top + this.#viewHeight + beyond);
  }

  #chooseRange(): void {
    const beyond = this.#beyond;
    const { length } = this.#timeline;
    if (length === 0) return;
    // At the end there is one right range; elsewhere a few pixels are no reason to draw anew.
    if (!this.following && this.#end <= length && this.#covers(beyond / 3)) return;
    const top = this.#viewTop;
    this.#first = this.#heights.at(top - beyond);
    this.#end = Math.min(length, this.#heights.at(top + this.#viewHeight + beyond) + 1);
  }

  /** The rows to draw: those of the range, and kept ones outside it. */
  #chooseRows(): number[] {
    const kept = [...this.#kept.ids].map((id) => this.#timeline.indexOf(id));
    const outside = kept.filter((index) => index >= 0 && (index < this.#first || index >= this.#end));
    const range = Array.from({ length: this.#end - this.#first }, (_, offset) => this.#first + offset);
    const rows = [...outside, ...range].sort((a, b) => a - b);
    this.#upmost = rows[0] ?? 0;
    this.#lowest = rows.at(-1) ?? -1;
    return rows;
  }

  #measure(log: HTMLElement): void {
    const content = log.firstElementChild;
    if (!content) return;
    this.#viewHeight = log.clientHeight;
    const reflowed = this.#heights.width !== content.clientWidth;
    const before = this.#anchorHeight;
    this.#heights.width = content.clientWidth;
    for (const day of content.querySelectorAll("section")) {
      const [first] = day.getElementsByTagName("article");
      if (first) this.#heights.heading = first.getBoundingClientRect().top - day.getBoundingClientRect().top;
    }
    let hint = this.#first;
    for (const element of content.querySelectorAll<HTMLElement>("[data-message-id]")) {
      const messageId = element.dataset.messageId ?? "";
      const index = this.#timeline.indexOf(messageId, hint);
      if (index < 0) continue;
      this.#heights.measure(index, messageId, element.getBoundingClientRect().height);
      hint = index + 1;
    }
    // Text that flows anew: the same part of the message stays at the edge, not the same pixels of it.
    if (reflowed && this.#anchor) {
      const top = (this.#anchor.top * this.#anchorHeight) / before;
      this.#anchor = { ...this.#anchor, top };
    }
  }

  get #anchorHeight(): number {
    const index = this.#anchor?.index ?? 0;
    return this.#heights.top(index + 1) - this.#heights.top(index);
  }

  /**
   * Puts the log where the anchor says. While it moves it is not touched, which would break the movement: what
   * has come between is then taken from the room above, and put right once the log is at rest.
   */
  #hold(): void {
    if (!this.#parts) return;
    const { log, above, below } = this.#parts;
    const room = this.#room;
    below.style.height = `${this.#heights.total - this.#heights.top(this.#lowest + 1)}px`;
    const drift = log.scrollTop - this.#viewTop;
    const moving = this.#resting !== undefined && !this.#arriving;
    if (!this.following && moving && this.#first > 0 && room + drift >= 0) {
      above.style.height = `${room + drift}px`;
    } else {
      above.style.height = `${room}px`;
      log.scrollTop = this.following ? log.scrollHeight : this.#viewTop;
    }
    this.#lastTop = log.scrollTop;
  }

  /** The room that the rows above the first one in the page take up. */
  get #room(): number {
    return this.#timeline.length === 0 ? 0 : dayTop(this.#timeline, this.#heights, this.#upmost);
  }

  readonly #onScroll = (): void => {
    if (!this.#parts) return;
    const { log, above } = this.#parts;
    const top = log.scrollTop;
    const toEnd = log.scrollHeight - log.clientHeight - top;
    const up = top < this.#lastTop;
    this.#lastTop = top;
    this.#restSoon();
    if (this.#arriving) return this.#hold();

    // Content that grew puts the end out of reach too; only a move upwards is the agent's wish to leave it.
    if (this.following && !(up && toEnd > NEAR_END_PX)) return;
    if (!this.following && toEnd <= NEAR_END_PX && this.#end === this.#timeline.length) {
      this.#anchor = undefined;
      return this.#redraw();
    }
    const wasFollowing = this.following;
    const drift = Number.parseFloat(above.style.height) - this.#room;
    this.#leave(this.#anchorAt(top - drift));
    if (wasFollowing || !this.#covers(this.#beyond / 3)) this.#redraw();
  };

  /** Takes account of a movement whose event is still to come, lest it be taken for a mistake; answers whether there is one. */
  #catchUp(): boolean {
    if (this.#arriving || this.#parts?.log.scrollTop === this.#lastTop) return false;
    this.#onScroll();
    return true;
  }

  #restSoon(): void {
    clearTimeout(this.#resting);
    this.#resting = setTimeout(() => {
      if (this.#catchUp()) return;
      this.#resting = undefined;
      this.#arriving = false;
      this.#hold();
    }, REST_MS);
  }

  readonly #onGesture = (): void => {
    this.#arriving = false;
  };

  /** The browser's own way to an end goes by heights that are partly guessed. */
  readonly #onKey = (event: KeyboardEvent): void => {
    const { key, target } = event;
    this.#arriving = false;
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
    if (target instanceof HTMLMediaElement) return;
    if (key === "End") this.follow();
    else if (key === "Home") this.#toStart();
    else return;
    event.preventDefault();
  };

  #toStart(): void {
    this.#arriving = true;
    this.#restSoon();
    this.#leave(this.#anchorAt(0));
    this.#redraw();
  }

  #isOutside(messageId: string | undefined): boolean {
    if (messageId === undefined) return false;
    const index = this.#timeline.indexOf(messageId);
    return index < this.#first || index >= this.#end;
  }
}
