import { expect, it } from "vitest";
import type { Message } from "../../src/client";
import { composeDays, dayTop } from "../../src/widget/composeDays";
import { RowHeights } from "../../src/widget/RowHeights";
import { Timeline } from "../../src/widget/Timeline";

/** Four messages a day on three days, each 30 pixels high; a heading takes 40. */
function setUp() {
  const messages = Array.from({ length: 12 }, (_, index): Message => ({
    messageId: `m${index}`,
    direction: "in",
    type: "text",
    timestamp: new Date(2026, 2, 1 + Math.floor(index / 4), 12, index % 4).toISOString(),
  }));
  const timeline = new Timeline();
  timeline.update(messages);
  const heights = new RowHeights(timeline);
  messages.forEach(({ messageId }, index) => heights.measure(index, messageId, 30));
  return { timeline, heights };
}

function composed(indexes: number[]) {
  const { timeline, heights } = setUp();
  return composeDays(timeline, heights, indexes).map(({ gap, rows }) => [gap, rows.map((row) => [row.message.messageId, row.gap])]);
}

it("draws rows that follow each other without a gap, each day under its heading", () => {
  expect(composed([2, 3, 4, 5])).toEqual([
    [0, [["m2", 0], ["m3", 0]]],
    [0, [["m4", 0], ["m5", 0]]],
  ]);
});

it("leaves room for the rows between in the same day", () => {
  expect(composed([0, 3])).toEqual([[0, [["m0", 0], ["m3", 60]]]]);
});

it("leaves room for the rows between in two days, less the heading of the second", () => {
  // m1 to m3, the heading and the messages m4 and m5 are 90 + 40 + 60 pixels high, and the heading is drawn.
  expect(composed([0, 6])).toEqual([
    [0, [["m0", 0]]],
    [150, [["m6", 0]]],
  ]);
});

it("begins a day's part with the heading above its first row", () => {
  const { timeline, heights } = setUp();
  expect([0, 1, 4, 5].map((index) => dayTop(timeline, heights, index))).toEqual([0, 30, 160, 190]);
});
