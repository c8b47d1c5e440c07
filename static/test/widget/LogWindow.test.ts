import { expect, it } from "vitest";
import type { Message } from "../../src/client";
import { LogWindow, MAX_ROWS, STEP, type Wish } from "../../src/widget/log/LogWindow";

const AT_END: Wish = { following: true, near: "last", kept: new Set() };
const ABOVE: Wish = { following: false, near: undefined, kept: new Set() };
const AT_TOP: Wish = { ...ABOVE, near: "first" };

function messages(from: number, end: number): Message[] {
  return Array.from({ length: end - from }, (_, index) => ({
    messageId: `m${from + index}`,
    direction: "in",
    type: "text",
    timestamp: "2026-03-01T12:00:00Z",
  }));
}

function windowOf(count: number): LogWindow {
  const window = new LogWindow();
  window.take(messages(0, count), AT_END);
  return window;
}

function growAll(window: LogWindow, wish: Wish): number {
  let steps = 0;
  while (window.grow(wish)) steps += 1;
  return steps;
}

const ends = (window: LogWindow) => [window.first, window.end];

it("begins with the last messages, and takes in the rest a step at a time", () => {
  const window = windowOf(500);
  expect(ends(window)).toEqual([460, 500]);
  expect(window.grow(AT_END)).toBe(true);
  expect(ends(window)).toEqual([420, 500]);
  growAll(window, AT_END);
  expect(ends(window)).toEqual([0, 500]);
});

it("has no more rows than there may be, and moves with the reader from then on", () => {
  const window = windowOf(5000);
  growAll(window, AT_END);
  expect(ends(window)).toEqual([4000, 5000]);
  window.grow(AT_TOP);
  expect(ends(window)).toEqual([3960, 4960]);
  expect(window.reachesEnd).toBe(false);
  growAll(window, AT_TOP);
  expect(ends(window)).toEqual([0, MAX_ROWS]);
  growAll(window, { ...ABOVE, near: "last" });
  expect(ends(window)).toEqual([4000, 5000]);
});

it("goes along with what comes, and over a burst by a jump", () => {
  const window = windowOf(10);
  window.take(messages(0, 30), AT_END);
  expect(ends(window)).toEqual([0, 30]);
  window.take(messages(0, 100), AT_END);
  expect(window.end).toBe(70);
  window.take(messages(0, 3000), AT_END);
  expect(ends(window)).toEqual([2960, 3000]);
});

it("lets what comes wait while the agent reads further up, a step of it apart", () => {
  const window = windowOf(100);
  window.take(messages(0, 103), ABOVE);
  expect(window.end).toBe(103);
  window.take(messages(0, 300), ABOVE);
  expect(window.end).toBe(103);
});

it("keeps its rows when older messages come above them, and others go", () => {
  const window = windowOf(100);
  growAll(window, AT_END);
  window.take([...messages(-50, 0), ...messages(0, 100)], AT_TOP);
  expect(ends(window)).toEqual([50, 150]);
  const without = [...messages(-50, 0), ...messages(1, 99)];
  window.take(without, AT_TOP);
  expect(without[window.first]!.messageId).toBe("m1");
  expect(without[window.end - 1]!.messageId).toBe("m98");
});

it("keeps a row that plays or has the focus, and what is between it and the view", () => {
  const window = windowOf(MAX_ROWS);
  growAll(window, AT_END);
  window.take(messages(0, MAX_ROWS + 30), { ...AT_END, kept: new Set(["m10"]) });
  expect(ends(window)).toEqual([10, MAX_ROWS + 30]);
  window.take(messages(0, MAX_ROWS + 31), AT_END);
  expect(ends(window)).toEqual([31, MAX_ROWS + 31]);
});

it("begins anew around a message that somebody wants to see", () => {
  const window = windowOf(5000);
  window.jumpTo(1000);
  expect(window.has(1000)).toBe(true);
  expect(window.end - window.first).toBe(2 * STEP);
  window.jumpTo(0);
  expect(window.first).toBe(0);
  window.toEnd();
  expect(ends(window)).toEqual([4960, 5000]);
});

it("grows to the end instead of jumping there while a row is to be kept", () => {
  const window = windowOf(5000);
  window.jumpTo(1000);
  const before = ends(window);
  window.toEnd(new Set(["m1000"]));
  expect(ends(window)).toEqual(before);
});
