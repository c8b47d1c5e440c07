import { useMemo, useState } from "preact/hooks";
import { excerpt } from "./excerpt";
import { isEmojiOnly } from "./isEmojiOnly";
import { splitLinks } from "./splitLinks";
import { useTexts } from "./Texts";

/** Long messages that the agent has opened: they stay so when they leave the page and come back. */
const opened = new Set<string>();

/** A message's text as it was written, its addresses as links. A very long one is cut until it is asked for. */
export function RichText({ id, text }: { id: string; text: string }) {
  const { strings } = useTexts();
  const [open, setOpen] = useState(() => opened.has(id));
  const beginning = useMemo(() => (open ? undefined : excerpt(text)), [open, text]);
  const shown = beginning ?? text;
  const parts = useMemo(() => splitLinks(shown), [shown]);
  const readMore = () => {
    opened.add(id);
    setOpen(true);
  };
  return (
    <>
      <span class={isEmojiOnly(text) ? "text emoji" : "text"}>
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
