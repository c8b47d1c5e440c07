import type { Message } from "../../client";
import { GoneIcon, CartIcon, TapIcon } from "../icons";
import type { Strings } from "../strings/Strings";
import { useTexts } from "../Texts";
import { RichText } from "./RichText";
import { hasMedium } from "./summary";

/** Types whose text says enough. */
const PLAIN: ReadonlySet<string> = new Set([
  "text",
  "system",
  "image",
  "video",
  "audio",
  "voice",
  "document",
  "sticker",
  "location",
  "contacts",
]);

/** Types whose text says more beside a word on how it came. */
const LABELS = { button: TapIcon, interactive: TapIcon, order: CartIcon };

/** What a message says in words, or what stands for them. */
export function Words({ message }: { message: Message }) {
  const { strings } = useTexts();
  const { messageId, type, text, location, contacts } = message;
  if (message.deletedAt !== undefined) {
    return (
      <em class="text">
        <GoneIcon /> {strings.deleted}
      </em>
    );
  }
  const earlier = earlierWords(message, strings);
  const written = text !== undefined && <RichText key={type} id={messageId} text={text} />;
  if (earlier !== undefined) {
    return (
      <>
        <em class="text">{earlier}</em> {type === "edit" && written}
      </>
    );
  }
  const shown = PLAIN.has(type) ? text !== undefined || type !== "text" : location || contacts || hasMedium(message);
  if (shown) return <>{written}</>;
  if (type in LABELS) {
    const Icon = LABELS[type as keyof typeof LABELS];
    return (
      <>
        <span class="label">
          <Icon /> {strings.kinds[type as keyof typeof LABELS]}
        </span>
        {written}
      </>
    );
  }
  return (
    <>
      <em class={written ? "label" : "text"}>{strings.unsupported}</em>
      {written}
    </>
  );
}

/** A reaction, an edit or a delete whose message is not here. */
function earlierWords({ type, emoji }: Message, { earlier }: Strings): string | undefined {
  if (type === "reaction") return emoji === undefined ? earlier.unreacted : earlier.reacted(emoji);
  if (type === "edit") return earlier.edited;
  return type === "delete" ? earlier.deleted : undefined;
}
