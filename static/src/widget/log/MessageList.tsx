import { useLayoutEffect, useReducer, useRef, useState } from "preact/hooks";
import type { Message } from "../client";
import { Bubble } from "./Bubble";
import { DownIcon } from "./icons";
import { LogScroller } from "./LogScroller";
import { useTexts } from "./Texts";
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
  const above = useRef<HTMLDivElement>(null);
  const below = useRef<HTMLDivElement>(null);
  const [, redraw] = useReducer((count: number, _: void) => count + 1, 0);
  const [scroller] = useState(() => new LogScroller(() => redraw()));
  const today = useToday();
  const days = scroller.draw(messages);
  const { following, unseen, named } = scroller;

  useLayoutEffect(() => {
    if (!log.current || !above.current || !below.current) return;
    return scroller.attach({ log: log.current, above: above.current, below: below.current });
  }, [scroller]);
  useLayoutEffect(() => scroller.settle());

  const toLatest = () => {
    scroller.follow();
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
        aria-live={following ? "polite" : "off"}
        aria-busy={busy}
        aria-label={strings.messages}
        tabIndex={0}
      >
        <div class="log-content">
          <div ref={above} />
          {days.map(({ key, date, gap, rows }) => (
            <section key={key} class="day" style={{ marginTop: gap }}>
              <h2>{dates.day(date, today)}</h2>
              {rows.map((row) => (
                <Bubble key={row.message.messageId} row={row} named={named} />
              ))}
            </section>
          ))}
          <div ref={below} />
        </div>
      </div>
      <div class="jump-area" role="status">
        {!following &&
          (unseen > 0 ? (
            <button type="button" class="jump" data-testid="pill" onClick={toLatest}>
              <DownIcon /> {strings.newMessages(unseen)}
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
