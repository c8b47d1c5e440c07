import { useEffect, useState } from "preact/hooks";
import { ActionButton } from "./ActionButton";
import { NAMES, type Replica } from "./api";
import { CutIcon } from "./icons";
import type { Playground } from "./Playground";
import type { Replicas } from "./Replicas";

/** What a power cut does to one of several gateways. */
export function ReplicasCard({ playground, replicas }: { playground: Playground; replicas: Replicas }) {
  const [all, setAll] = useState(replicas.all);
  useEffect(() => replicas.on("change", () => setAll(replicas.all)), [replicas]);
  return (
    <section class="card" aria-labelledby="replicas">
      <h2 id="replicas">Replicas</h2>
      <p class="about">
        Three gateways share a stream, behind nginx. Kill one: whoever was there is back at another within seconds, with
        nothing missing, and the others notice nothing.
      </p>
      <div class="actions rows">
        {all.map((replica) => (
          <div
            key={replica.number}
            data-testid={`replica-${replica.number}`}
            data-state={replica.state}
            data-agents={replicas.agentsAt(replica).join(" ")}
          >
            <ActionButton
              name={`kill-${replica.number}`}
              icon={<CutIcon />}
              title={`Kill replica ${replica.number}`}
              look={describe(replica, replicas)}
              disabled={replica.state === "away"}
              onPress={() => playground.kill(replica.number)}
            />
          </div>
        ))}
      </div>
    </section>
  );
}

function describe(replica: Replica, replicas: Replicas): string {
  if (replica.state === "away") return `Away. It is started again in ${replica.seconds ?? 0} s.`;
  if (replica.state === "starting") return "It starts, and reads the stream before it serves.";
  const names = replicas.agentsAt(replica).map((agent) => NAMES[agent]);
  if (names.length === 0) return "It is ready. Neither of the two is here.";
  return `It is ready. ${names.join(" and ")} ${names.length === 1 ? "is" : "are"} here.`;
}
