import { useMemo, useState } from "preact/hooks";
import type { Message } from "../client";

/** Messages that are drawn at once. Thousands stay smooth because only these are in the page. */
const WINDOW = 300;

/** Messages that "Show older" and "Show newer" move by: half a window, so that what was in view still is. */
const STEP = 150;

/** Where the agent reads, away from the end. */
interface Place {
  /** The first message that is drawn. */
  readonly startId: string | undefined;
  /** The last message that had come when the agent left the end. */
  readonly seenId: string | undefined;
}

/** The part of the messages that is drawn, and how to move it. */
export interface MessageWindow {
  readonly shown: readonly Message[];
  readonly hasOlder: boolean;
  readonly hasNewer: boolean;
  /** At the end, and staying there as messages come. */
  readonly following: boolean;
  /** Messages that have come since the agent left the end. */
  readonly unseen: number;
  readonly follow: () => void;
  readonly leave: () => void;
  readonly showOlder: () => void;
  readonly showNewer: () => void;
}

/** Chooses what is drawn. Away from the end the choice stays as it is, whatever comes. */
export function useMessageWindow(messages: readonly Message[]): MessageWindow {
  const [place, setPlace] = useState<Place>();
  const last = Math.max(0, messages.length - WINDOW);
  const found = place ? messages.findIndex(({ messageId }) => messageId === place.startId) : last;
  const start = found < 0 ? last : found;
  const end = Math.min(messages.length, start + WINDOW);
  const seen = place ? messages.findLastIndex(({ messageId }) => messageId === place.seenId) : messages.length - 1;
  const shown = useMemo(() => messages.slice(start, end), [messages, start, end]);

  const moveTo = (index: number) =>
    setPlace((old) => ({
      startId: messages[Math.min(Math.max(0, index), last)]?.messageId,
      seenId: old ? old.seenId : messages.at(-1)?.messageId,
    }));

  return {
    shown,
    hasOlder: start > 0,
    hasNewer: end < messages.length,
    following: place === undefined,
    unseen: messages.length - 1 - seen,
    follow: () => setPlace(undefined),
    leave: () => moveTo(start),
    showOlder: () => moveTo(start - STEP),
    showNewer: () => moveTo(start + STEP),
  };
}
