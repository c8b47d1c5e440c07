import type { ComponentChildren } from "preact";
import { useMemo, useRef, useState } from "preact/hooks";
import { useTexts } from "../Texts";
import { excerpt } from "./excerpt";
import { formatText, type Piece, type Style } from "./formatText";
import { isEmojiOnly } from "./isEmojiOnly";
import { useLog } from "./LogContext";

const TAGS: Record<Style, (pieces: ComponentChildren) => ComponentChildren> = {
  bold: (pieces) => <strong>{pieces}</strong>,
  italic: (pieces) => <em>{pieces}</em>,
  struck: (pieces) => <s>{pieces}</s>,
  code: (pieces) => <code>{pieces}</code>,
  block: (pieces) => <code class="block">{pieces}</code>,
};

/** Long messages that the agent has opened: they stay so when they leave the page and come back. */
const opened = new Set<string>();

/** A message's text as it was written and meant. A very long one is cut until it is asked for. */
export function RichText({ id, text }: { id: string; text: string }) {
  const { strings } = useTexts();
  const log = useLog();
  const element = useRef<HTMLSpanElement>(null);
  const [open, setOpen] = useState(() => opened.has(id));
  const beginning = useMemo(() => (open ? undefined : excerpt(text)), [open, text]);
  const shown = beginning ?? text;
  const pieces = useMemo(() => formatText(shown), [shown]);
  const readMore = () => {
    opened.add(id);
    setOpen(true);
    // The reader goes on where the text was cut, and not at its end; and the keyboard, whose button goes, with them.
    log.stay();
    element.current?.focus({ preventScroll: true });
  };
  return (
    <>
      <span
        class={isEmojiOnly(text) ? "text emoji" : "text"}
        ref={element}
        tabIndex={open || beginning !== undefined ? -1 : undefined}
      >
        {pieces.map(draw)}
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

function draw(piece: Piece): ComponentChildren {
  if ("style" in piece) return TAGS[piece.style](piece.pieces.map(draw));
  const { text, href } = piece;
  if (href === undefined) return text;
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {text}
    </a>
  );
}
