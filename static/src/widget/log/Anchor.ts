/** Where a row of the log stands: so far below the upper edge of the view, or above it if less than zero. */
export interface Anchor {
  readonly messageId: string;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** The row at the upper edge of the view; `rows` are all of them, from top to bottom. */
export function anchorAt(log: HTMLElement, rows: readonly HTMLElement[]): Anchor | undefined {
  const edge = log.getBoundingClientRect().top;
  let low = 0;
  let high = rows.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (rows[middle]!.getBoundingClientRect().bottom > edge) high = middle;
    else low = middle + 1;
  }
  const row = rows[low];
  return row && anchorOf(log, row);
}

export function anchorOf(log: HTMLElement, row: HTMLElement): Anchor {
  const { top, width, height } = row.getBoundingClientRect();
  return { messageId: row.dataset.messageId ?? "", top: top - log.getBoundingClientRect().top, width, height };
}

/** How far the log has to be scrolled for a row to stand again where it was. */
export function drift(log: HTMLElement, row: HTMLElement, anchor: Anchor): number {
  const now = anchorOf(log, row);
  // Text that flows anew: the same part of the message stays at the edge, not the same pixels of it.
  const reflowed = anchor.top < 0 && anchor.height > 0 && anchor.width !== now.width;
  const top = reflowed ? (anchor.top * now.height) / anchor.height : anchor.top;
  return now.top - top;
}
