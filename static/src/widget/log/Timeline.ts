import type { Message } from "../../client";

/** A message and where it stands among those around it. The same object as long as nothing of that changes. */
export interface Row {
  readonly message: Message;
  readonly date: Date;
  /** The first of several in a row from one sender. */
  readonly startsGroup: boolean;
}

/** The messages of one day, as far as they follow each other. */
export interface Day {
  readonly key: string;
  readonly date: Date;
  readonly rows: readonly Row[];
}

/** Messages of one sender that are further apart than this many milliseconds are not one group. */
const GROUP_MS = 5 * 60_000;

/**
 * Cuts messages where the day changes and where the sender does. Rows that stay what they were stay the same objects, so
 * that of thousands only those are drawn that have changed.
 */
export class Timeline {
  #rows = new Map<string, Row>();

  /** The messages from `first` up to `end`, day by day. */
  days(messages: readonly Message[], first: number, end: number): Day[] {
    const rows = new Map<string, Row>();
    const days: { key: string; date: Date; rows: Row[] }[] = [];
    const times = new Map<string, number>();
    let before = messages[first - 1];
    for (const message of messages.slice(first, end)) {
      const row = this.#row(message, before);
      rows.set(message.messageId, row);
      before = message;
      const day = days.at(-1);
      if (day && isSameDay(day.date, row.date)) day.rows.push(row);
      else days.push({ key: keyOf(row.date, times), date: row.date, rows: [row] });
    }
    this.#rows = rows;
    return days;
  }

  #row(message: Message, before: Message | undefined): Row {
    const known = this.#rows.get(message.messageId);
    const date = known?.message.timestamp === message.timestamp ? known.date : new Date(message.timestamp);
    const startsGroup = before === undefined || !continues(before, message, date);
    if (known?.message === message && known.startsGroup === startsGroup) return known;
    return { message, date, startsGroup };
  }
}

/** Senders on the customer's side: if there are several, each group has to say whose it is. */
export function hasSeveralSenders(messages: readonly Message[]): boolean {
  const first = messages.find(isFromSomebody)?.from;
  return messages.some((message) => isFromSomebody(message) && message.from !== first);
}

function isFromSomebody({ direction, from }: Message): boolean {
  return direction === "in" && from !== undefined;
}

function continues(before: Message, { direction, from, fromName, type }: Message, date: Date): boolean {
  const earlier = new Date(before.timestamp);
  return (
    before.direction === direction &&
    before.from === from &&
    before.fromName === fromName &&
    before.type !== "system" &&
    type !== "system" &&
    isSameDay(earlier, date) &&
    Math.abs(date.getTime() - earlier.getTime()) <= GROUP_MS
  );
}

/** A message that was long on its way can make a day come up again: the second time it is another key. */
function keyOf(date: Date, times: Map<string, number>): string {
  const name = date.toDateString();
  const count = times.get(name) ?? 0;
  times.set(name, count + 1);
  return count === 0 ? name : `${name} ${count}`;
}

function isSameDay(a: Date, b: Date): boolean {
  return a.getDate() === b.getDate() && a.getMonth() === b.getMonth() && a.getFullYear() === b.getFullYear();
}
