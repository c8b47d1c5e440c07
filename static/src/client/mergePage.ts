import type { Message } from "./Message";

/**
 * Merges a page of the history, oldest first, into messages of which it may hold some: what the page has between two
 * messages that are known stays between them, and there goes to where its time belongs. With `before` the page is older
 * than that message, also where their times are the same.
 */
export function mergePage(log: readonly Message[], page: readonly Message[], before?: string): Message[] {
  const indexes = new Map(log.map(({ messageId }, index) => [messageId, index]));
  const limits = upperLimits(indexes, page, before, log.length);
  const merged: Message[] = [];
  let next = 0;
  const take = (end: number): void => {
    while (next < end) merged.push(log[next++]!);
  };
  page.forEach((message, number) => {
    const known = indexes.get(message.messageId);
    if (known !== undefined) return take(known + 1);
    const time = Date.parse(message.timestamp);
    const limit = limits[number]!;
    while (next < limit && Date.parse(log[next]!.timestamp) <= time) merged.push(log[next++]!);
    merged.push(message);
    indexes.set(message.messageId, -1);
  });
  take(log.length);
  return merged;
}

/** For each message of the page where the next one behind it stands that is known. */
function upperLimits(
  indexes: ReadonlyMap<string, number>,
  page: readonly Message[],
  before: string | undefined,
  length: number,
): number[] {
  let limit = (before === undefined ? undefined : indexes.get(before)) ?? length;
  const limits = page.map(() => limit);
  for (let number = page.length - 1; number >= 0; number -= 1) {
    limits[number] = limit;
    const known = indexes.get(page[number]!.messageId);
    // A page in another order than the log's limits nothing.
    if (known !== undefined && known < limit) limit = known;
  }
  return limits;
}
