import { useEffect, useRef } from "preact/hooks";
import type { Diary } from "./Diary";
import { useChanges } from "../look/useChanges";

const TIME = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });

/** What has happened, newest last. */
export function LogPanel({ diary }: { diary: Diary }) {
  useChanges(diary);
  const notes = diary.notes;
  const list = useRef<HTMLDivElement>(null);
  useEffect(() => {
    list.current!.scrollTop = list.current!.scrollHeight;
  }, [notes]);
  return (
    <section class="log" aria-labelledby="log-title">
      <header>
        <h2 id="log-title">What happens</h2>
        <button type="button" class="quiet" data-testid="log-clear" onClick={() => diary.clear()}>
          Clear
        </button>
      </header>
      <div class="notes" ref={list} role="log" aria-labelledby="log-title" tabIndex={0} data-testid="log">
        {notes.map(({ number, at, actor, text, id }) => (
          <p key={number} data-actor={actor}>
            <time dateTime={at.toISOString()}>{TIME.format(at)}</time> <span class="actor">{actor}</span>{" "}
            <span class="note">
              {text}
              {id && (
                <>
                  {" "}
                  <code>{id}</code>
                </>
              )}
            </span>
          </p>
        ))}
        {notes.length === 0 && (
          <p class="nothing">Press a button: what the host, the relay and the broker do stands here.</p>
        )}
      </div>
    </section>
  );
}
