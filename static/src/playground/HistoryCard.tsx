import { useChanges } from "../look/useChanges";
import { AGENTS } from "./api";
import { HISTORY_MODES, type HistoryMode } from "./PastStore";
import type { Playground } from "./Playground";

const TITLES: Record<HistoryMode, string> = { none: "None", answers: "Answers", slow: "Is slow", fails: "Fails" };

/** What the portal's history service does. */
export function HistoryCard({ playground }: { playground: Playground }) {
  const { past } = playground;
  useChanges(past);
  return (
    <section class="card" aria-labelledby="history">
      <h2 id="history">The history service</h2>
      <p class="about">
        A portal answers what is older than the gateway’s window by <code>history</code>. With it both widgets begin
        with the days before; scroll up for more. What fails can be tried again.
      </p>
      <fieldset class="segments">
        <legend>It</legend>
        {HISTORY_MODES.map((mode) => (
          <label key={mode}>
            <input
              type="radio"
              name="history"
              data-testid={`history-${mode}`}
              value={mode}
              checked={past.mode === mode}
              onChange={() => playground.setHistory(mode, AGENTS)}
            />
            <span>{TITLES[mode]}</span>
          </label>
        ))}
      </fieldset>
    </section>
  );
}
