import type { Message } from "../../client";
import { ForwardIcon, MoreIcon, WarningIcon } from "../icons";
import type { Row } from "../log/Timeline";
import { useTexts } from "../Texts";
import { Attachment } from "./Attachment";
import { ErrorBoundary } from "./ErrorBoundary";
import { guessHeight } from "./guessHeight";
import { useLog } from "./LogContext";
import { Quote } from "./Quote";
import { Reactions } from "./Reactions";
import { senderName } from "./senderName";
import { Tick } from "./Tick";
import { Words } from "./Words";

/** What a message's place in the log makes of it. */
export interface RowPlace {
  /** The conversation has several senders on the customer's side, so each group says whose it is. */
  readonly several: boolean;
  /** It has come while the agent was here: a screen reader says it. */
  readonly news: boolean;
  /** The last one: the Tab key leads to its button, and the arrows from there to those of the others. */
  readonly last: boolean;
  /** It is well above the end, and out of view for most of the time. */
  readonly distant: boolean;
}

interface BubbleProps extends RowPlace {
  row: Row;
  /** What it answers, where that is here. */
  quoted: Message | undefined;
}

/** One message. */
export function Bubble({ row, quoted, several, news, last, distant }: BubbleProps) {
  const texts = useTexts();
  const { strings } = texts;
  const log = useLog();
  const { message, startsGroup } = row;
  const { messageId, direction, type, reactions = [] } = message;
  const instead = <p class="blocked">{strings.brokenMessage}</p>;
  return (
    <article
      class="message"
      data-testid="message"
      data-message-id={messageId}
      data-direction={direction}
      data-type={type}
      data-starts-group={startsGroup}
      tabIndex={-1}
      aria-live={news ? undefined : "off"}
      style={
        distant
          ? { contentVisibility: "auto", containIntrinsicBlockSize: `auto ${guessHeight(message, startsGroup)}px` }
          : undefined
      }
    >
      <div class="bubble">
        <ErrorBoundary of={message} instead={instead}>
          <Inside row={row} quoted={quoted} several={several} />
        </ErrorBoundary>
        {reactions.length > 0 && <Reactions reactions={reactions} several={several} />}
      </div>
      <button
        type="button"
        class="more"
        data-testid="details-button"
        aria-label={strings.details.title}
        title={strings.details.title}
        tabIndex={last ? 0 : -1}
        onClick={() => log.tell(message)}
      >
        <MoreIcon />
      </button>
    </article>
  );
}

function Inside({
  row: { message, date, startsGroup },
  quoted,
  several,
}: Pick<BubbleProps, "row" | "quoted" | "several">) {
  const texts = useTexts();
  const { strings, formats } = texts;
  const { direction, status, error, from } = message;
  const name = senderName(message, texts, several);
  const reason = error?.title ?? error?.code;
  const isNamed = several && startsGroup && direction === "in" && from !== undefined;
  const kept = message.deletedAt === undefined;
  return (
    <>
      {isNamed ? <bdi class="sender">{name}</bdi> : <span class="unseen">{strings.says(name)} </span>}
      {kept && message.forwarded && (
        <p class="forwarded">
          <ForwardIcon /> {strings.forwarded}
        </p>
      )}
      {kept && message.replyTo && <Quote message={message} quoted={quoted} several={several} />}
      <Attachment message={message} />
      <div class="body" dir="auto">
        <Words message={message} />
        <span class="meta">
          {kept && message.editedAt !== undefined && <span>{strings.edited}</span>}
          <time dir="ltr" dateTime={date.toISOString()} title={formats.full(date)}>
            {formats.time(date)}
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
    </>
  );
}
