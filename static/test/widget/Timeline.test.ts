import { expect, it } from "vitest";
import type { Message } from "../../src/client";
import { hasSeveralSenders, Timeline } from "../../src/widget/log/Timeline";

function at(day: number, hour: number, minute: number, more: Partial<Message> = {}): Message {
  const timestamp = new Date(2026, 2, day, hour, minute).toISOString();
  return { messageId: `${day} ${hour}:${minute}`, direction: "in", type: "text", timestamp, ...more };
}

const days = (messages: Message[]) => new Timeline().days(messages, 0, messages.length);
const rows = (messages: Message[]) => days(messages).flatMap((day) => day.rows);
const starts = (messages: Message[]) => rows(messages).map((row) => row.startsGroup);

it("begins a day at the agent's midnight", () => {
  expect(days([at(1, 23, 59), at(2, 0, 0), at(2, 23, 59)]).map((day) => day.rows.length)).toEqual([1, 2]);
});

it("gives a day that comes up again a key of its own", () => {
  const keys = days([at(1, 12, 0), at(2, 12, 0), at(1, 13, 0), at(2, 13, 0)]).map(({ key }) => key);
  expect(new Set(keys).size).toBe(4);
});

it("begins a group with another direction, another sender, five minutes' silence or another day", () => {
  expect(starts([at(1, 12, 0), at(1, 12, 5), at(1, 12, 11)])).toEqual([true, false, true]);
  expect(starts([at(1, 12, 0), at(1, 12, 1, { direction: "out" })])).toEqual([true, true]);
  expect(starts([at(1, 12, 0, { from: "a" }), at(1, 12, 1, { from: "b" })])).toEqual([true, true]);
  expect(
    starts([at(1, 12, 0, { direction: "out", fromName: "Ada" }), at(1, 12, 1, { direction: "out", fromName: "Bot" })]),
  ).toEqual([true, true]);
  expect(starts([at(1, 23, 59), at(2, 0, 1)])).toEqual([true, true]);
});

it("keeps the rows that stay what they were, and shows each as it is now", () => {
  const timeline = new Timeline();
  const [first, second, third] = [at(1, 12, 0, { direction: "out" }), at(1, 12, 1, { direction: "out" }), at(1, 12, 2)];
  const before = timeline.days([first, second], 0, 2)[0]!.rows;
  const after = timeline.days([{ ...first, status: "read" }, second, third], 0, 3)[0]!.rows;
  expect(after[0]!.message.status).toBe("read");
  expect(after[1]).toBe(before[1]);
  expect(after).toHaveLength(3);
});

it("cuts anew when messages have come in between, or gone", () => {
  const timeline = new Timeline();
  const [first, between, last] = [at(1, 12, 0), at(1, 12, 1, { direction: "out" }), at(1, 12, 2)];
  const groups = (messages: Message[]) =>
    timeline.days(messages, 0, messages.length)[0]!.rows.map((row) => row.startsGroup);
  expect(groups([first, last])).toEqual([true, false]);
  expect(groups([first, between, last])).toEqual([true, true, true]);
  expect(groups([first, last])).toEqual([true, false]);
});

it("knows what stands above the first row that is shown", () => {
  const messages = [at(1, 12, 0), at(1, 12, 1)];
  expect(new Timeline().days(messages, 1, 2)[0]!.rows[0]!.startsGroup).toBe(false);
});

it("names senders once there are two on the customer's side", () => {
  expect(hasSeveralSenders([at(1, 12, 0, { from: "a" }), at(1, 12, 1, { from: "agent", direction: "out" })])).toBe(
    false,
  );
  expect(hasSeveralSenders([at(1, 12, 0, { from: "a" }), at(1, 12, 1), at(1, 12, 2, { from: "b" })])).toBe(true);
});
