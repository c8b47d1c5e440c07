import type { ComponentChildren } from "preact";
import type { Message } from "../../client";
import { CloseIcon } from "../icons";
import type { DetailName } from "../strings/Strings";
import { useTexts } from "../Texts";
import { useModal } from "./useModal";
import { numberName, senderName } from "./senderName";

interface DetailsProps {
  message: Message;
  onClose: () => void;
}

/** What else is known of a message, over the page. */
export function Details({ message, onClose }: DetailsProps) {
  const texts = useTexts();
  const { strings, formats } = texts;
  const { dialog, close } = useModal(".details-content");
  const { direction, timestamp, statusTimes = {}, error, from } = message;
  const when = (time: string | undefined) => time && <time dateTime={time}>{formats.full(new Date(time))}</time>;
  const name = senderName(message, texts);
  const number = from === undefined ? undefined : numberName(from);
  const lines: readonly (readonly [DetailName, ComponentChildren])[] = [
    [direction === "in" ? "from" : "by", number === undefined || number === name ? name : `${name} (${number})`],
    ["written", when(timestamp)],
    ["sent", when(statusTimes.sent)],
    ["delivered", when(statusTimes.delivered)],
    ["read", when(statusTimes.read)],
    ["failed", when(statusTimes.failed)],
    ["reason", error?.title],
    ["code", error?.code],
    ["edited", when(message.editedAt)],
    ["deleted", when(message.deletedAt)],
    ["messageId", message.messageId],
  ];
  return (
    <dialog class="details" ref={dialog} data-testid="details" aria-labelledby="details-title" onClose={onClose}>
      <div class="details-content">
        <div class="details-bar">
          <h2 id="details-title">{strings.details.title}</h2>
          <button type="button" aria-label={strings.close} title={strings.close} onClick={close}>
            <CloseIcon />
          </button>
        </div>
        <dl>
          {lines.map(
            ([term, value]) =>
              value !== undefined &&
              value !== "" && (
                <div key={term} data-detail={term}>
                  <dt>{strings.details[term]}</dt>
                  <dd>
                    <bdi>{value}</bdi>
                  </dd>
                </div>
              ),
          )}
        </dl>
      </div>
    </dialog>
  );
}
