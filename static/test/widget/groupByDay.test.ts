import { expect, it } from "vitest";
import type { Message } from "../../src/client";
import { groupByDay } from "../../src/widget/groupByDay";

function at(day: number, hour: number, minute: number, more: Partial<Message> = {}): Message {
  const timestamp = new Date(2026, 2, day, hour, minute).toISOString();
  return { messageId: `${day} ${hour}:${minute}`, direction: "in", timestamp, ...more };
}

function starts(messages: Message[]): boolean[] {
  return groupByDay(messages).flatMap(({ rows }) => rows.map(({ startsGroup }) => startsGroup));
}

it("begins a day at the agent's midnight", () => {
  const days = groupByDay([at(1, 23, 59), at(2, 0, 0), at(2, 23, 59)]);
  expect(days.map(({ rows }) => rows.length)).toEqual([1, 2]);
});

it("gives a day that comes up again a key of its own", () => {
  const days = groupByDay([at(1, 12, 0), at(2, 12, 0), at(1, 13, 0), at(2, 13, 0)]);
  expect(new Set(days.map(({ key }) => key)).size).toBe(4);
});

it("begins a group with another direction, another sender, five minutes' silence or another day", () => {
  expect(starts([at(1, 12, 0), at(1, 12, 5), at(1, 12, 11)])).toEqual([true, false, true]);
  expect(starts([at(1, 12, 0), at(1, 12, 1, { direction: "out" })])).toEqual([true, true]);
  expect(starts([at(1, 12, 0, { from: "a" }), at(1, 12, 1, { from: "b" })])).toEqual([true, true]);
  expect(starts([at(1, 23, 59), at(2, 0, 1)])).toEqual([true, true]);
});
