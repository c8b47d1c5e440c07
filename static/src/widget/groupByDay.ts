import type { Message } from "../client";

/** A message and where it stands among those of its sender. */
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

/** Cuts messages, which are in the order of arrival, where the day changes, and marks where the sender does. */
export function groupByDay(messages: readonly Message[]): Day[] {
  const days: { key: string; date: Date; rows: Row[] }[] = [];
  let previous: Row | undefined;
  for (const message of messages) {
    const date = new Date(message.timestamp);
    const sameDay = previous?.date.toDateString() === date.toDateString();
    const row = { message, date, startsGroup: !sameDay || !continues(previous, message, date) };
    const day = days.at(-1);
    if (day && sameDay) day.rows.push(row);
    else days.push({ key: keyOf(date, days), date, rows: [row] });
    previous = row;
  }
  return days;
}

function continues(previous: Row | undefined, message: Message, date: Date): boolean {
  return (
    previous !== undefined &&
    previous.message.direction === message.direction &&
    previous.message.from === message.from &&
    Math.abs(date.getTime() - previous.date.getTime()) <= GROUP_MS
  );
}

/** A message that was long on its way can make a day come up again: the second time it is another key. */
function keyOf(date: Date, days: readonly Day[]): string {
  const name = date.toDateString();
  const times = days.filter(({ key }) => key.startsWith(name)).length;
  return times === 0 ? name : `${name} ${times}`;
}
