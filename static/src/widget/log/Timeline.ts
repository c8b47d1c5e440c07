import type { Message } from "../client";

/** A message and where it stands among those around it. */
export interface Row {
  readonly message: Message;
  readonly date: Date;
  /** The first of its day: the day's heading stands above it. */
  readonly startsDay: boolean;
  /** The first of several in a row from one sender. */
  readonly startsGroup: boolean;
}

/** The messages of one day, as far as they follow each other. */
export interface Day {
  readonly key: string;
  readonly date: Date;
}

/** Messages of one sender that are further apart than this many milliseconds are not one group. */
const GROUP_MS = 5 * 60_000;

interface Place {
  readonly date: Date;
  readonly day: Day;
  readonly startsDay: boolean;
  readonly startsGroup: boolean;
}

/**
 * Messages in the order of arrival, cut where the day changes and where the sender does. What is added at the end
 * costs no second look at what is there, so that thousands can come one by one.
 */
export class Timeline {
  #messages: readonly Message[] = [];
  #places: Place[] = [];
  #timesOfDay = new Map<string, number>();
  #senders = new Set<string>();

  get length(): number {
    return this.#messages.length;
  }

  /** The conversation has several senders on the customer's side, so that each group has to say whose it is. */
  get named(): boolean {
    return this.#senders.size > 1;
  }

  /** Takes in the messages as they are now; answers how many of the rows have kept their places. */
  update(messages: readonly Message[]): number {
    const last = this.#places.length - 1;
    const grown = last < 0 || this.#messages[last]?.messageId === messages[last]?.messageId;
    if (!grown) {
      this.#places = [];
      this.#timesOfDay = new Map();
      this.#senders = new Set();
    }
    this.#messages = messages;
    const kept = this.#places.length;
    for (const message of messages.slice(kept)) this.#add(message);
    return kept;
  }

  row(index: number): Row | undefined {
    const message = this.#messages[index];
    const place = this.#places[index];
    return message && place && { message, ...place };
  }

  /** The day that a row belongs to: the same object for all of its rows. */
  day(index: number): Day | undefined {
    return this.#places[index]?.day;
  }

  startsDay(index: number): boolean {
    return this.#places[index]?.startsDay ?? false;
  }

  /** Where a message stands; `hint` is where it stood last. */
  indexOf(messageId: string | undefined, hint = -1): number {
    if (this.#messages[hint]?.messageId === messageId) return hint;
    return this.#messages.findIndex((message) => message.messageId === messageId);
  }

  #add(message: Message): void {
    const { direction, from, timestamp } = message;
    const date = new Date(timestamp);
    const index = this.#places.length;
    const before = this.#places[index - 1];
    const sameDay = before !== undefined && isSameDay(before.date, date);
    const continues =
      sameDay &&
      this.#messages[index - 1]?.direction === direction &&
      this.#messages[index - 1]?.from === from &&
      Math.abs(date.getTime() - before.date.getTime()) <= GROUP_MS;
    const day = sameDay ? before.day : { key: this.#keyOf(date), date };
    this.#places.push({ date, day, startsDay: !sameDay, startsGroup: !continues });
    if (direction === "in" && from !== undefined) this.#senders.add(from);
  }

  /** A message that was long on its way can make a day come up again: the second time it is another key. */
  #keyOf(date: Date): string {
    const name = date.toDateString();
    const times = this.#timesOfDay.get(name) ?? 0;
    this.#timesOfDay.set(name, times + 1);
    return times === 0 ? name : `${name} ${times}`;
  }
}

function isSameDay(a: Date, b: Date): boolean {
  return a.getDate() === b.getDate() && a.getMonth() === b.getMonth() && a.getFullYear() === b.getFullYear();
}
