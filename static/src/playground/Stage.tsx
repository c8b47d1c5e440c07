import { useState } from "preact/hooks";
import { AGENTS, NAMES, type Agent } from "./api";
import { LogPanel } from "./LogPanel";
import type { Playground } from "./Playground";
import { WidgetFrame } from "./WidgetFrame";

/** The two widgets and the log. Where there is no room for both widgets, one is shown. */
export function Stage({ playground }: { playground: Playground }) {
  const [shown, setShown] = useState<Agent>("ada");
  return (
    <section class="stage" aria-label="What the agents see">
      <fieldset class="segments tabs">
        <legend class="unseen">Whose widget is shown</legend>
        {AGENTS.map((agent) => (
          <label key={agent}>
            <input type="radio" name="shown" value={agent} checked={shown === agent} onChange={() => setShown(agent)} />
            <span>{NAMES[agent]}’s view</span>
          </label>
        ))}
      </fieldset>
      <div class="frames">
        {AGENTS.map((agent) => (
          <WidgetFrame key={agent} playground={playground} agent={agent} shown={shown === agent} />
        ))}
      </div>
      <LogPanel diary={playground.diary} />
    </section>
  );
}
