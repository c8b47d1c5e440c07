import { Media } from "./Media";
import type { Row } from "./groupByDay";
import { WarningIcon } from "./icons";
import { RichText } from "./RichText";
import { useTexts } from "./Texts";
import { Tick } from "./Tick";

interface BubbleProps {
  row: Row;
  /** The conversation has several senders on the customer's side, so each group says whose it is. */
  named: boolean;
}

/** One message. */
export function Bubble({ row: { message, date, startsGroup }, named }: BubbleProps) {
  const { strings, dates } = useTexts();
  const { messageId, direction, text, mediaUrl, mediaType, from, status, error } = message;
  const sender = direction === "in" ? strings.received(from) : strings.sent;
  const showName = named && startsGroup && direction === "in" && from !== undefined;
  return (
    <article
      class="message"
      data-testid="message"
      data-message-id={messageId}
      data-direction={direction}
      data-starts-group={startsGroup}
    >
      <div class="bubble">
        {showName ? <bdi class="sender">{from}</bdi> : <span class="unseen">{sender} </span>}
        {mediaUrl !== undefined && <Media key={mediaUrl} url={mediaUrl} type={mediaType} />}
        <div class="body" dir="auto">
          {text !== undefined && <RichText text={text} />}
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
            <WarningIcon /> <span dir="auto">{strings.failed(error?.title ?? error?.code?.toString())}</span>
          </p>
        )}
      </div>
    </article>
  );
}
