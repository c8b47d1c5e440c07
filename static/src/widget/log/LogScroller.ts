import type { Message } from "../../client";
import { anchorAt, anchorOf, drift, type Anchor } from "./Anchor";
import { KeptRows } from "./KeptRows";
import { LogWindow, type Wish } from "./LogWindow";

/** Within this many pixels of the end the agent is taken to be at it. */
const NEAR_END_PX = 40;

/** So near to an edge of what is in the page more is put there: a few views. */
const NEAR_EDGE_PX = 1500;

/** So long, in milliseconds, the browser goes on moving the log by itself after a key was pressed, or a wheel turned. */
const MOVEMENT_MS = 600;

/** With what else than keys the agent moves the log. */
const INPUTS = ["wheel", "touchstart", "pointerdown"] as const;

/** Less than this is no movement. */
const STILL_PX = 0.6;

/** What somebody who is led to a message sees above it, in pixels: the heading of its day, and some room. */
const ABOVE_PX = 48;

/** How long a message shows that it is the one that was meant, in milliseconds. */
const FLASH_MS = 1600;

/** Where a message is to stand to which somebody is led: with the line above it at the upper edge, or in the middle, with the focus on it. */
type Place = "edge" | "middle";

/** Where to go once it is in the page: to a message, or to the very beginning. */
type Target = { readonly messageId: string; readonly place: Place } | "beginning";

/** Whether the browser itself keeps what is in view where it is. */
const KEEPS_PLACE = typeof CSS !== "undefined" && CSS.supports("overflow-anchor", "auto");

/** What the scroller reports. */
export interface ScrollerListener {
  /** `draw` would answer something else. */
  redraw(): void;
  /** The reader comes near the first message that is known. */
  wantsOlder(): void;
  /** The agent has left the end, or is back at it. */
  follows(following: boolean): void;
}

/**
 * Decides where the log stands, and has rows put into the page as they are needed. The log stays at its end while the
 * agent is there, and otherwise on the message at the upper edge, whatever comes, goes or turns out higher than was
 * guessed. A browser does the latter by itself where it can (`overflow-anchor`); then there is nothing left to do here,
 * and a movement under way is not disturbed.
 */
export class LogScroller {
  readonly #window = new LogWindow();
  readonly #kept = new KeptRows();
  readonly #listener: ScrollerListener;
  #log: HTMLElement | undefined;
  #rows: readonly HTMLElement[] = [];
  #following = true;
  /** Where the reader is, as long as that is not the end. */
  #anchor: Anchor | undefined;
  #target: Target | undefined;
  #lastTop = 0;
  /** When the agent last went to the end, as `performance.now` has it. */
  #followedAt = -Infinity;
  #growing: ReturnType<typeof setTimeout> | undefined;

  constructor(listener: ScrollerListener) {
    this.#listener = listener;
  }

  /** At the end, and staying there as messages come. */
  get following(): boolean {
    return this.#following;
  }

  /** The messages that are rows of the page. */
  get window(): LogWindow {
    return this.#window;
  }

  /** Takes in the messages; to be called before the page changes. */
  draw(messages: readonly Message[]): LogWindow {
    this.#catchUp();
    this.#window.take(messages, this.#wish);
    return this.#window;
  }

  /** Begins to watch the log, and answers how to stop. */
  attach(log: HTMLElement): () => void {
    this.#log = log;
    const observer = new ResizeObserver(() => {
      this.#catchUp();
      this.#hold();
    });
    observer.observe(log);
    if (log.firstElementChild) observer.observe(log.firstElementChild);
    const letGo = this.#kept.attach(log);
    log.addEventListener("scroll", this.#onScroll);
    log.addEventListener("keydown", this.#onKey);
    for (const input of INPUTS) log.addEventListener(input, this.#onInput, { passive: true });
    return () => {
      observer.disconnect();
      clearTimeout(this.#growing);
      this.#growing = undefined;
      letGo();
      log.removeEventListener("scroll", this.#onScroll);
      log.removeEventListener("keydown", this.#onKey);
      for (const input of INPUTS) log.removeEventListener(input, this.#onInput);
    };
  }

  /** Puts the log where it has to be; to be called after each change to the page. */
  settle(): void {
    if (!this.#log) return;
    this.#rows = [...this.#log.querySelectorAll<HTMLElement>("[data-message-id]")];
    const arrived = this.#arrive();
    // At its very beginning a log moves by nothing that the browser does.
    if (arrived || this.#following || !KEEPS_PLACE || this.#log.scrollTop === 0) this.#hold();
    if (arrived && this.#isAtEnd) this.follow();
    this.#growSoon();
  }

  /** Goes to the end, and along with what comes. */
  follow(): void {
    this.#window.toEnd(this.#kept.ids);
    this.#anchor = this.#target = undefined;
    this.#setFollowing(true);
    this.#followedAt = performance.now();
    this.#listener.redraw();
  }

  /** Stays where the log is, at the end or not: the agent reads on here. */
  stay(): void {
    if (!this.#log || !this.#following) return;
    this.#anchor = anchorAt(this.#log, this.#rows);
    this.#setFollowing(false);
    this.#listener.redraw();
  }

  /** Goes to a message; answers whether it is there. */
  show(messageId: string, place: Place): boolean {
    const index = this.#window.indexOf(messageId);
    if (index < 0) return false;
    if (!this.#window.has(index)) this.#window.jumpTo(index);
    this.#target = { messageId, place };
    this.#setFollowing(false);
    this.#listener.redraw();
    return true;
  }

  get #wish(): Wish {
    const { scrollTop = 0 } = this.#log ?? {};
    const nearFirst = scrollTop < NEAR_EDGE_PX;
    const near = this.#following ? "last" : nearFirst ? "first" : this.#toEnd < NEAR_EDGE_PX ? "last" : undefined;
    return { following: this.#following, near, kept: this.#kept.ids };
  }

  get #toEnd(): number {
    return this.#log ? this.#log.scrollHeight - this.#log.clientHeight - this.#log.scrollTop : 0;
  }

  #setFollowing(following: boolean): void {
    if (following === this.#following) return;
    this.#following = following;
    this.#listener.follows(following);
  }

  /** Takes account of a movement whose event is still to come, lest it be undone. */
  #catchUp(): void {
    if (this.#log && this.#target === undefined) this.#onScroll();
  }

  get #isAtEnd(): boolean {
    return this.#toEnd <= NEAR_END_PX && this.#window.reachesEnd;
  }

  #element(messageId: string): HTMLElement | undefined {
    return this.#rows.find((row) => row.dataset.messageId === messageId);
  }

  #scrollBy(pixels: number): void {
    const log = this.#log!;
    if (Math.abs(pixels) >= STILL_PX) log.scrollTop += pixels;
    this.#lastTop = log.scrollTop;
  }

  /** Goes where the agent wants to be, if that is in the page now. */
  #arrive(): boolean {
    const log = this.#log!;
    const target = this.#target;
    if (target === undefined) return false;
    if (target === "beginning") {
      if (this.#window.first > 0) return false;
      this.#target = undefined;
      log.scrollTop = 0;
      this.#anchor = anchorAt(log, this.#rows);
      return true;
    }
    const row = this.#element(target.messageId);
    if (!row) return false;
    this.#target = undefined;
    const { height } = row.getBoundingClientRect();
    const top = target.place === "edge" ? ABOVE_PX : Math.max(ABOVE_PX, (log.clientHeight - height) / 2);
    this.#anchor = { ...anchorOf(log, row), top };
    if (target.place === "edge") return true;
    row.focus({ preventScroll: true });
    row.dataset.flash = "";
    setTimeout(() => delete row.dataset.flash, FLASH_MS);
    return true;
  }

  #hold(): void {
    if (!this.#log) return;
    if (this.#following) return this.#scrollBy(this.#toEnd);
    const row = this.#anchor && this.#element(this.#anchor.messageId);
    if (this.#anchor && row) this.#scrollBy(drift(this.#log, row, this.#anchor));
  }

  readonly #onScroll = (): void => {
    const log = this.#log!;
    const moved = log.scrollTop - this.#lastTop;
    this.#lastTop = log.scrollTop;
    // What was scrolled here, and has its event only now.
    if (Math.abs(moved) < STILL_PX) return;
    if (this.#following) {
      // Content that grew puts the end out of reach too; only a move upwards is the agent's wish to leave it.
      if (moved > 0 || this.#toEnd <= NEAR_END_PX) return;
      // The rest of a movement that the agent began before.
      if (performance.now() - this.#followedAt < MOVEMENT_MS) return this.#hold();
      this.#anchor = anchorAt(log, this.#rows);
      this.#setFollowing(false);
      this.#listener.redraw();
    } else if (moved > 0 && this.#isAtEnd) {
      this.#anchor = undefined;
      this.#setFollowing(true);
      this.#listener.redraw();
    } else this.#anchor = anchorAt(log, this.#rows);
    this.#growSoon();
  };

  /** Lets the page draw and the agent move in between. */
  #growSoon(): void {
    if (this.#growing !== undefined) return;
    const wish = this.#wish;
    if (wish.near === "first" && this.#window.first === 0) this.#listener.wantsOlder();
    this.#growing = setTimeout(() => {
      this.#growing = undefined;
      this.#catchUp();
      if (this.#window.grow(this.#wish)) this.#listener.redraw();
    });
  }

  /** What moves the log from now on is the agent's new wish. */
  readonly #onInput = (): void => {
    this.#followedAt = -Infinity;
  };

  readonly #onKey = (event: KeyboardEvent): void => {
    const { key, target } = event;
    this.#onInput();
    if (event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || event.defaultPrevented) return;
    if (target instanceof HTMLMediaElement) return;
    if (key === "End") this.follow();
    else if (key === "Home") this.#toStart();
    else if (!((key === "ArrowDown" || key === "ArrowUp") && this.#moveFocus(target, key === "ArrowUp" ? -1 : 1)))
      return;
    event.preventDefault();
  };

  #toStart(): void {
    if (this.#window.first > 0) this.#window.jumpTo(0);
    this.#target = "beginning";
    this.#setFollowing(false);
    this.#listener.redraw();
  }

  /** From one message's button the arrows lead to the next one's: the Tab key would have hundreds to pass. */
  #moveFocus(from: EventTarget | null, step: 1 | -1): boolean {
    if (!(from instanceof HTMLElement) || !from.matches(".more")) return false;
    const row = from.closest<HTMLElement>("[data-message-id]");
    const next = this.#rows[this.#rows.indexOf(row!) + step]?.querySelector<HTMLElement>(".more");
    if (next === null || next === undefined) return true;
    this.stay();
    next.focus();
    return true;
  }
}
