import { useMemo, useState } from "preact/hooks";
import { excerpt } from "./excerpt";
import { splitLinks } from "./splitLinks";
import { useTexts } from "./Texts";

/** Up to three emoji and nothing else. */
const EMOJI_ONLY =
  /^(?:(?:\p{Regional_Indicator}{2}|\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier}|\u200d\p{Extended_Pictographic})*)\s*){1,3}$/u;

/** Longer than any three emoji, however they are composed. */
const MAX_EMOJI_LENGTH = 64;

/** Long messages that the agent has opened: they stay so when they leave the page and come back. */
const opened = new Set<string>();

/** A message's text as it was written, its addresses as links. A very long one is cut until it is asked for. */
export function RichText({ id, text }: { id: string; text: string }) {
  const { strings } = useTexts();
  const [open, setOpen] = useState(() => opened.has(id));
  const beginning = useMemo(() => (open ? undefined : excerpt(text)), [open, text]);
  const shown = beginning ?? text;
  const parts = useMemo(() => splitLinks(shown), [shown]);
  const emoji = text.length <= MAX_EMOJI_LENGTH && EMOJI_ONLY.test(text);
  const readMore = () => {
    opened.add(id);
    setOpen(true);
  };
  return (
    <>
      <span class={emoji ? "text emoji" : "text"}>
        {parts.map(({ text, href }) =>
          href === undefined ? (
            text
          ) : (
            <a href={href} target="_blank" rel="noopener noreferrer">
              {text}
            </a>
          ),
        )}
        {beginning !== undefined && "…"}
      </span>
      {beginning !== undefined && (
        <button type="button" class="read-more" data-testid="read-more" onClick={readMore}>
          {strings.readMore}
        </button>
      )}
    </>
  );
}
