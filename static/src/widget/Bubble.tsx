import { Media } from "./Media";
import type { DrawnRow } from "./composeDays";
import { WarningIcon } from "./icons";
import { RichText } from "./RichText";
import { useTexts } from "./Texts";
import { Tick } from "./Tick";

interface BubbleProps {
  row: DrawnRow;
  /** The conversation has several senders on the customer's side, so each group says whose it is. */
  named: boolean;
}

/** A WhatsApp id is a phone number, of which people write the plus sign. */
const PHONE_NUMBER = /^[1-9]\d{6,14}$/;

/** One message. */
export function Bubble({ row: { message, date, startsGroup, gap }, named }: BubbleProps) {
  const { strings, dates } = useTexts();
  const { messageId, direction, text, mediaUrl, mediaType, from, status, error } = message;
  const name = from !== undefined && PHONE_NUMBER.test(from) ? `+${from}` : from;
  const sender = direction === "in" ? strings.received(name) : strings.sent;
  const reason = error?.title ?? error?.code;
  const showName = named && startsGroup && direction === "in" && from !== undefined;
  return (
    <article
      class="message"
      data-testid="message"
      data-message-id={messageId}
      data-direction={direction}
      data-starts-group={startsGroup}
      style={gap > 0 ? { marginTop: gap } : undefined}
    >
      <div class="bubble">
        {showName ? <bdi class="sender">{name}</bdi> : <span class="unseen">{sender} </span>}
        {mediaUrl !== undefined && <Media key={mediaUrl} url={mediaUrl} type={mediaType} />}
        <div class="body" dir="auto">
          {text !== undefined && <RichText id={messageId} text={text} />}
          {text === undefined && mediaUrl === undefined && <em class="text">{strings.unsupported}</em>}
          <span class="meta">
            <time dir="ltr" dateTime={date.toISOString()} title={dates.full(date)}>
              {dates.time(date)}
            </time>
            {status && <Tick status={status} />}
          </span>
        </div>
        {status === "failed" && (
          <p class="failure">
            <WarningIcon />
            <span>
              {strings.statuses.failed}
              {reason !== undefined && (
                <>
                  : <bdi>{reason}</bdi>
                </>
              )}
            </span>
          </p>
        )}
      </div>
    </article>
  );
}
