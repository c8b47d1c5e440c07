import { useMemo } from "preact/hooks";
import { splitLinks } from "./splitLinks";

/** Up to three emoji and nothing else. */
const EMOJI_ONLY = /^(?:\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier}|\u200d\p{Extended_Pictographic})*\s*){1,3}$/u;

/** A message's text as it was written, its addresses as links. */
export function RichText({ text }: { text: string }) {
  const parts = useMemo(() => splitLinks(text), [text]);
  return (
    <span class={EMOJI_ONLY.test(text) ? "text emoji" : "text"}>
      {parts.map(({ text, href }) =>
        href === undefined ? (
          text
        ) : (
          <a href={href} target="_blank" rel="noopener noreferrer">
            {text}
          </a>
        ),
      )}
    </span>
  );
}
