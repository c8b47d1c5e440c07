import type { Message } from "../../client";
import { useTexts } from "../Texts";
import { useLog } from "./LogContext";
import { numberName, senderName } from "./senderName";
import { inLine, summary } from "./summary";

interface QuoteProps {
  message: Message;
  /** What the message answers, where that is here. */
  quoted: Message | undefined;
  several: boolean;
}

/** What a message answers, and the way there. */
export function Quote({ message, quoted, several }: QuoteProps) {
  const texts = useTexts();
  const log = useLog();
  const { replyTo, from } = message;
  if (!replyTo) return null;
  const { strings } = texts;
  const writer = quoted ?? (replyTo.from !== undefined && replyTo.from === from ? message : undefined);
  const name = writer ? senderName(writer, texts, several) : replyTo.from && numberName(replyTo.from);
  const words = quoted ? summary(quoted, strings) : replyTo.text && inLine(replyTo.text);
  return (
    <button
      type="button"
      class="quote"
      data-testid="quote"
      title={strings.toQuoted(name ?? strings.senders.in)}
      onClick={() => log.show(replyTo.messageId)}
    >
      {name !== undefined && <bdi class="quote-name">{name}</bdi>}
      <span class="quote-text" dir="auto">
        {words ?? strings.earlier.message}
      </span>
    </button>
  );
}
