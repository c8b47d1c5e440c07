import type { VNode } from "preact";
import { useLayoutEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import type { HistoryState, Message } from "../../client";
import type { Snapshot } from "../ConversationView";
import { useChanges } from "../../look/useChanges";
import { DownIcon } from "../icons";
import { Bubble, type RowPlace } from "../message/Bubble";
import { LogProvider, type LogActions } from "../message/LogContext";
import { useLazy } from "../useLazy";
import { useTexts } from "../Texts";
import { useToday } from "../useToday";
import { HistoryLine } from "./HistoryLine";
import { LogScroller } from "./LogScroller";
import { STEP } from "./LogWindow";
import { hasSeveralSenders, Timeline, type Row } from "./Timeline";
import type { Unread } from "./Unread";
import { useQuest } from "./useQuest";

interface MessageListProps {
  snapshot: Snapshot;
  unread: Unread;
  /** Asks for what is older, or once more for what has failed. */
  onOlder: () => void;
}

const loadDetails = async () => (await import("../message/Details")).Details;

/** The conversation, day by day. */
export function MessageList({ snapshot: { messages, gaps, history, fresh }, unread, onOlder }: MessageListProps) {
  const { strings, formats } = useTexts();
  const log = useRef<HTMLDivElement>(null);
  const [, redraw] = useReducer((count: number, _: void) => count + 1, 0);
  const latest = useRef({ history, onOlder });
  latest.current = { history, onOlder };
  const [scroller] = useState(() => {
    const wantsOlder = () => isMore(latest.current.history) && latest.current.onOlder();
    return new LogScroller({ redraw: () => redraw(), wantsOlder, follows: (following) => unread.reads(!following) });
  });
  const [timeline] = useState(() => new Timeline());
  const [draw] = useState(() => new RowCache());
  const [detailsOf, setDetailsOf] = useState<string>();
  const Details = useLazy(detailsOf !== undefined, loadDetails);
  const { goTo, lost } = useQuest(scroller, messages, history, onOlder);
  const today = useToday();
  useChanges(unread);

  const { first, end } = scroller.draw(messages);
  const days = timeline.days(messages, first, end);
  const several = useMemo(() => hasSeveralSenders(messages), [messages]);
  const known = useMemo(() => new Map(messages.map((message) => [message.messageId, message])), [messages]);
  const gapsAfter = new Set(gaps.map(({ after }) => after ?? ""));
  const lastId = messages[end - 1]?.messageId;
  let left = end - first;

  useLayoutEffect(() => (log.current ? scroller.attach(log.current) : undefined), [scroller]);
  useLayoutEffect(() => scroller.settle());
  const actions = useMemo<LogActions>(
    () => ({
      stay: () => scroller.stay(),
      show: (messageId) => goTo(messageId),
      tell: ({ messageId }) => setDetailsOf(messageId),
    }),
    [scroller, goTo],
  );

  const toUnread = () => {
    if (unread.line === undefined || !scroller.show(unread.line, "edge")) scroller.follow();
    unread.seen();
    // The button is about to go; the keyboard's place must not go with it.
    log.current?.focus({ preventScroll: true });
  };
  const toLatest = () => {
    scroller.follow();
    log.current?.focus({ preventScroll: true });
  };
  const detailedMessage = detailsOf === undefined ? undefined : known.get(detailsOf);
  const { following } = scroller;

  return (
    <div class="list">
      {/* Away from the end the pill speaks for what is new, and older messages are no news. */}
      <div
        class="log"
        ref={log}
        role="log"
        aria-live={following ? "polite" : "off"}
        aria-busy={fresh}
        aria-label={strings.messages}
        tabIndex={0}
      >
        <div class="log-content">
          {first === 0 && <HistoryLine history={history} onRetry={onOlder} />}
          {first === 0 && gapsAfter.has("") && <GapLine />}
          <LogProvider value={actions}>
            {days.map(({ key, date, rows }) => (
              <section key={key} class="day">
                <h2>
                  <span>{formats.day(date, today)}</span>
                </h2>
                {rows.flatMap((row) => {
                  const { messageId, replyTo } = row.message;
                  const quoted = replyTo && known.get(replyTo.messageId);
                  left -= 1;
                  const bubble = draw.row(row, quoted, {
                    several,
                    news: unread.isNews(messageId),
                    last: messageId === lastId,
                    distant: left >= STEP,
                  });
                  if (unread.line !== messageId && !gapsAfter.has(messageId)) return bubble;
                  return [
                    unread.line === messageId && <UnreadLine key={`unread ${messageId}`} />,
                    bubble,
                    gapsAfter.has(messageId) && <GapLine key={`gap ${messageId}`} />,
                  ];
                })}
              </section>
            ))}
          </LogProvider>
        </div>
      </div>
      <div class="jump-area">
        <div role="status">{lost && <p class="toast">{strings.quotedMissing}</p>}</div>
        <div role="status">
          {!following &&
            (unread.count > 0 ? (
              <button type="button" class="jump" data-testid="pill" onClick={toUnread}>
                <DownIcon /> {strings.newMessages(unread.count)}
              </button>
            ) : (
              <button
                type="button"
                class="jump"
                data-testid="to-latest"
                aria-label={strings.toLatest}
                onClick={toLatest}
              >
                <DownIcon />
              </button>
            ))}
        </div>
      </div>
      {detailedMessage && Details && <Details message={detailedMessage} onClose={() => setDetailsOf(undefined)} />}
    </div>
  );
}

function isMore({ name }: HistoryState): boolean {
  return name === "more";
}

function GapLine() {
  return (
    <p class="line gap" data-testid="reset-notice">
      <span>{useTexts().strings.gap}</span>
    </p>
  );
}

function UnreadLine() {
  return (
    <p class="line unread" data-testid="unread-line">
      <span>{useTexts().strings.unread}</span>
    </p>
  );
}

interface Drawn {
  readonly quoted: Message | undefined;
  readonly flags: string;
  readonly bubble: VNode;
}

/** Answers the same element for a row as long as nothing about it changes, and Preact looks no further. */
class RowCache {
  readonly #drawn = new WeakMap<Row, Drawn>();

  row(row: Row, quoted: Message | undefined, place: RowPlace): VNode {
    const flags = `${place.several} ${place.news} ${place.last} ${place.distant}`;
    const known = this.#drawn.get(row);
    if (known && known.quoted === quoted && known.flags === flags) return known.bubble;
    const bubble = <Bubble key={row.message.messageId} row={row} quoted={quoted} {...place} />;
    this.#drawn.set(row, { quoted, flags, bubble });
    return bubble;
  }
}
