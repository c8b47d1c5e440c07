import { useState } from "preact/hooks";
import mark from "../widget/icon.svg";
import type { Agent } from "./api";
import { ConnectionCard } from "./ConnectionCard";
import { CustomerCard } from "./CustomerCard";
import { AnswerCard } from "./AnswerCard";
import { HistoryCard } from "./HistoryCard";
import type { Playground } from "./Playground";
import { ReplicasCard } from "./ReplicasCard";
import { SignInCard } from "./SignInCard";
import { Stage } from "./Stage";
import { TicksCard } from "./TicksCard";
import { Whose, type Choice } from "./Whose";

/** The page: the buttons, and the stage on which their effects are seen. */
export function App({ playground }: { playground: Playground }) {
  const [whose, setWhose] = useState<Choice>("ada");
  const agents: readonly Agent[] = whose === "both" ? ["ada", "grace"] : [whose];
  return (
    <>
      <header class="top">
        <img src={mark} alt="" width="28" height="28" />
        <h1>agent-gateway playground</h1>
        <p>One WhatsApp conversation, two agents who read along. What you press goes through RabbitMQ.</p>
      </header>
      <div class="layout">
        <main class="controls">
          {playground.replicas && <ReplicasCard playground={playground} replicas={playground.replicas} />}
          <CustomerCard playground={playground} />
          <AnswerCard playground={playground} />
          <TicksCard playground={playground} />
          <HistoryCard playground={playground} />
          <section class="card" aria-labelledby="trouble">
            <h2 id="trouble">Trouble</h2>
            <p class="about">Give one of them trouble and compare: the other goes on as if nothing had happened.</p>
            <Whose label="Trouble for" value={whose} onChange={setWhose} />
            {/* Of several gateways only one would hang up. */}
            {!playground.replicas && <ConnectionCard playground={playground} agents={agents} />}
            <SignInCard playground={playground} agents={agents} />
          </section>
        </main>
        <Stage playground={playground} />
      </div>
    </>
  );
}
