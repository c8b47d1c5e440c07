import { useMemo, useRef } from "preact/hooks";
import type { Message } from "../client";
import { Bubble } from "./Bubble";
import { groupByDay } from "./groupByDay";
import { DownIcon } from "./icons";
import { useTexts } from "./Texts";
import { useMessageWindow } from "./useMessageWindow";
import { useScrollPosition } from "./useScrollPosition";
import { useToday } from "./useToday";

interface MessageListProps {
  messages: readonly Message[];
  /** What is coming in is old news. */
  busy: boolean;
}

/** The conversation, day by day. */
export function MessageList({ messages, busy }: MessageListProps) {
  const { strings, dates } = useTexts();
  const log = useRef<HTMLDivElement>(null);
  const view = useMessageWindow(messages);
  useScrollPosition(log, view);
  const today = useToday();
  const days = useMemo(() => groupByDay(view.shown), [view.shown]);
  const named = useMemo(() => severalSenders(view.shown), [view.shown]);

  const toLatest = () => {
    view.follow();
    // The button is about to go; the keyboard's place must not go with it.
    log.current?.focus({ preventScroll: true });
  };

  return (
    <div class="list">
      {/* Away from the end the pill speaks for what is new, and older messages are no news. */}
      <div
        class="log"
        ref={log}
        role="log"
        aria-live={view.following ? "polite" : "off"}
        aria-busy={busy}
        aria-label={strings.messages}
        tabIndex={0}
      >
        <div class="log-content">
          {view.hasOlder && (
            <button type="button" class="more" onClick={view.showOlder}>
              {strings.showOlder}
            </button>
          )}
          {days.map(({ key, date, rows }) => (
            <section key={key} class="day">
              <h2>{dates.day(date, today)}</h2>
              {rows.map((row) => (
                <Bubble key={row.message.messageId} row={row} named={named} />
              ))}
            </section>
          ))}
          {view.hasNewer && (
            <button type="button" class="more" onClick={view.showNewer}>
              {strings.showNewer}
            </button>
          )}
        </div>
      </div>
      <div class="jump-area" role="status">
        {!view.following &&
          (view.unseen > 0 ? (
            <button type="button" class="jump" data-testid="pill" onClick={toLatest}>
              <DownIcon /> {strings.newMessages(view.unseen)}
            </button>
          ) : (
            <button type="button" class="jump" data-testid="to-latest" aria-label={strings.toLatest} onClick={toLatest}>
              <DownIcon />
            </button>
          ))}
      </div>
    </div>
  );
}

function severalSenders(messages: readonly Message[]): boolean {
  const senders = messages.flatMap(({ direction, from }) => (direction === "in" && from !== undefined ? [from] : []));
  return new Set(senders).size > 1;
}
