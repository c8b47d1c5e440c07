import { ActionButton } from "./ActionButton";
import { Composer } from "./Composer";
import { DiceIcon } from "./icons";
import type { Playground } from "./Playground";

/** What the agents' portal does. */
export function AnswerCard({ playground }: { playground: Playground }) {
  return (
    <section class="card" aria-labelledby="answer">
      <h2 id="answer">An agent answers</h2>
      <p class="about">
        Agents write in your portal, which tells the gateway by its relay: look for the bubble on the right, without a
        tick yet. It works while the broker is away, too.
      </p>
      <Composer
        name="agent"
        label="Text of the agent"
        placeholder="What is Maria answered?"
        onSend={(text) => playground.agentWrites(text)}
      />
      <div class="actions">
        <ActionButton
          name="agent-random"
          icon={<DiceIcon />}
          title="Ready-made answer"
          look="It can be ticked below as soon as it is there."
          onPress={() => playground.agentWrites()}
        />
      </div>
    </section>
  );
}
