import { expect, it } from "vitest";
import type { Message } from "../../src/client";
import { Timeline } from "../../src/widget/Timeline";

function at(day: number, hour: number, minute: number, more: Partial<Message> = {}): Message {
  const timestamp = new Date(2026, 2, day, hour, minute).toISOString();
  return { messageId: `${day} ${hour}:${minute}`, direction: "in", type: "text", timestamp, ...more };
}

function rows(timeline: Timeline) {
  return Array.from({ length: timeline.length }, (_, index) => timeline.row(index));
}

function of(messages: Message[]): Timeline {
  const timeline = new Timeline();
  timeline.update(messages);
  return timeline;
}

const starts = (messages: Message[]) => rows(of(messages)).map((row) => row?.startsGroup);

it("begins a day at the agent's midnight", () => {
  const timeline = of([at(1, 23, 59), at(2, 0, 0), at(2, 23, 59)]);
  expect(rows(timeline).map((row) => row?.startsDay)).toEqual([true, true, false]);
  expect(timeline.day(1)).toBe(timeline.day(2));
});

it("gives a day that comes up again a key of its own", () => {
  const timeline = of([at(1, 12, 0), at(2, 12, 0), at(1, 13, 0), at(2, 13, 0)]);
  expect(new Set([0, 1, 2, 3].map((index) => timeline.day(index)?.key)).size).toBe(4);
});

it("begins a group with another direction, another sender, five minutes' silence or another day", () => {
  expect(starts([at(1, 12, 0), at(1, 12, 5), at(1, 12, 11)])).toEqual([true, false, true]);
  expect(starts([at(1, 12, 0), at(1, 12, 1, { direction: "out" })])).toEqual([true, true]);
  expect(starts([at(1, 12, 0, { from: "a" }), at(1, 12, 1, { from: "b" })])).toEqual([true, true]);
  expect(starts([at(1, 23, 59), at(2, 0, 1)])).toEqual([true, true]);
});

it("keeps the rows it has when messages are added, and shows each as it is now", () => {
  const first = at(1, 12, 0, { direction: "out" });
  const timeline = of([first]);
  expect(timeline.update([{ ...first, status: "read" }, at(1, 12, 1)])).toBe(1);
  expect(rows(timeline).map((row) => row?.message.status)).toEqual(["read", undefined]);
});

it("cuts anew when messages have come in between", () => {
  const timeline = of([at(1, 12, 0), at(1, 12, 2)]);
  expect(timeline.update([at(1, 12, 0), at(1, 12, 1, { direction: "out" }), at(1, 12, 2)])).toBe(0);
  expect(rows(timeline).map((row) => row?.startsGroup)).toEqual([true, true, true]);
  expect(rows(timeline).map((row) => row?.startsDay)).toEqual([true, false, false]);
});

it("names senders once there are two on the customer's side", () => {
  const timeline = of([at(1, 12, 0, { from: "a" }), at(1, 12, 1, { from: "agent", direction: "out" })]);
  expect(timeline.named).toBe(false);
  timeline.update([at(1, 12, 0, { from: "a" }), at(1, 12, 1, { from: "agent", direction: "out" }), at(1, 12, 2, { from: "b" })]);
  expect(timeline.named).toBe(true);
});
