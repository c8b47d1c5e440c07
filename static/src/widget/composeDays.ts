import type { RowHeights } from "./RowHeights";
import type { Day, Row, Timeline } from "./Timeline";

/** A day, or the part of it that is drawn. */
export interface DrawnDay extends Day {
  /** Pixels that undrawn rows take up above it. */
  readonly gap: number;
  readonly rows: DrawnRow[];
}

export interface DrawnRow extends Row {
  /** Pixels that undrawn rows take up above it. */
  readonly gap: number;
}

/** Puts rows, in ascending order, under the headings of their days, with room for what is not drawn in between. */
export function composeDays(timeline: Timeline, heights: RowHeights, indexes: readonly number[]): DrawnDay[] {
  const days: DrawnDay[] = [];
  let bottom: number | undefined;
  for (const index of indexes) {
    const row = timeline.row(index);
    const day = timeline.day(index);
    if (!row || !day) continue;
    const last = days.at(-1);
    if (last?.key === day.key) {
      const top = heights.top(index);
      last.rows.push({ ...row, gap: top - (bottom ?? top) });
    } else {
      const top = dayTop(timeline, heights, index);
      days.push({ ...day, gap: top - (bottom ?? top), rows: [{ ...row, gap: 0 }] });
    }
    bottom = heights.top(index + 1);
  }
  return days;
}

/** Where a day begins that is drawn from this row on: its heading stands above the row, whichever that is. */
export function dayTop(timeline: Timeline, heights: RowHeights, index: number): number {
  const top = heights.top(index);
  return timeline.startsDay(index) ? top : top - heights.heading;
}
