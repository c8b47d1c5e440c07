import { beforeEach, expect, it } from "vitest";
import type { Message } from "../../src/client";
import { RowHeights } from "../../src/widget/RowHeights";
import { Timeline } from "../../src/widget/Timeline";

const message = (index: number, more: Partial<Message> = {}): Message => ({
  messageId: `m${index}`,
  direction: "in",
  type: "text",
  text: "Hello",
  timestamp: "2026-03-01T12:00:00Z",
  ...more,
});

const messages = Array.from({ length: 5000 }, (_, index) => message(index));

let timeline: Timeline;
let heights: RowHeights;

beforeEach(() => {
  timeline = new Timeline();
  heights = new RowHeights(timeline);
  heights.changedFrom(timeline.update(messages));
});

it("puts the first row at the top, its day's heading included, and each other one below the one before", () => {
  heights.measure(0, "m0", 50);
  heights.measure(1, "m1", 30);
  expect([0, 1, 2].map((index) => heights.top(index))).toEqual([0, 50 + heights.heading, 80 + heights.heading]);
});

it("moves what is below a row that turns out higher than was guessed, and nothing above it", () => {
  const before = [heights.top(100), heights.top(101), heights.total] as const;
  heights.measure(100, "m100", heights.top(101) - heights.top(100) + 7);
  expect([heights.top(100), heights.top(101), heights.total]).toEqual([before[0], before[1] + 7, before[2] + 7]);
});

it("finds the row at a place, and the first or last one beyond them", () => {
  for (const index of [0, 1, 2500, 4999]) {
    expect(heights.at(heights.top(index))).toBe(index);
    expect(heights.at(heights.top(index + 1) - 1)).toBe(index);
  }
  expect(heights.at(-100)).toBe(0);
  expect(heights.at(heights.total + 100)).toBe(4999);
});

it("forgets what was measured when the width changes", () => {
  const guessed = heights.total;
  heights.measure(0, "m0", 1000);
  heights.width = 401;
  expect(heights.total).toBe(guessed);
});

it("keeps what was measured when messages come in between", () => {
  heights.measure(1, "m1", 999);
  heights.changedFrom(timeline.update([message(-1), ...messages]));
  expect(heights.top(3) - heights.top(2)).toBe(999);
});

it.each([
  ["longer text", { text: "word ".repeat(100) }],
  ["more lines", { text: "1\n2\n3" }],
  ["a picture", { mediaUrl: "https://example.com/a.png" }],
  ["a failure", { status: "failed" }],
] as const)("guesses %s to be higher", (_what, more) => {
  const plain = heights.total;
  heights.changedFrom(timeline.update([...messages, message(5000)]));
  const added = heights.total - plain;
  heights.changedFrom(timeline.update([...messages, message(5000), message(5001, more)]));
  expect(heights.total - plain - added).toBeGreaterThan(added);
});
