import type { ComponentChild } from "preact";
import { useState } from "preact/hooks";
import type { Message } from "../client";
import { ActionButton } from "./ActionButton";
import { CheckIcon, DoubleCheckIcon, WarningIcon } from "./icons";
import type { Playground, TickName } from "./Playground";
import { REASONS } from "./samples";
import { useChanges } from "../look/useChanges";

/** How much of a message is shown in the list. */
const SHOWN_CHARACTERS = 36;

/** How far an agent's message has come. */
export function TicksCard({ playground }: { playground: Playground }) {
  const { onlooker } = playground;
  useChanges(onlooker);
  const outbound = onlooker.outbound;
  const [chosen, setChosen] = useState("");
  const [reason, setReason] = useState(REASONS[0]!);
  const message = outbound.find(({ messageId }) => messageId === chosen) ?? outbound[0];
  const button = (status: TickName, title: string, icon: ComponentChild, look: string) => (
    <ActionButton
      name={`tick-${status}`}
      icon={icon}
      title={title}
      look={look}
      disabled={!message}
      onPress={() => playground.tick(message!.messageId, status, status === "failed" ? reason : undefined)}
    />
  );
  return (
    <section class="card" aria-labelledby="ticks">
      <h2 id="ticks">The ticks of an answer</h2>
      <p class="about">
        Press them in any order, as WhatsApp’s webhooks come: look at the bubble’s corner. A tick never goes back, so a
        late “sent” changes nothing.
      </p>
      <label class="field">
        <span>Answer</span>
        <select
          data-testid="tick-message"
          value={message === outbound[0] ? "" : chosen}
          onChange={(event) => setChosen(event.currentTarget.value)}
          disabled={!message}
        >
          <option value="">{outbound[0] ? `Latest: ${describe(outbound[0])}` : "No answer yet: send one above"}</option>
          {outbound.slice(1).map((one) => (
            <option key={one.messageId} value={one.messageId}>
              {describe(one)}
            </option>
          ))}
        </select>
      </label>
      <div class="actions">
        {button("sent", "Sent", <CheckIcon />, "One tick: WhatsApp has it.")}
        {button("delivered", "Delivered", <DoubleCheckIcon />, "Two ticks: the phone has it.")}
        {button("read", "Read", <DoubleCheckIcon />, "Two ticks in colour: Maria has seen it.")}
        {button("failed", "Failed", <WarningIcon />, "A warning and the reason, unless it was delivered.")}
      </div>
      <label class="field">
        <span>Reason of a failure</span>
        <select
          data-testid="tick-reason"
          value={reason.code}
          onChange={(event) => setReason(REASONS[event.currentTarget.selectedIndex]!)}
        >
          {REASONS.map(({ code, title }) => (
            <option key={code} value={code}>
              {title} ({code})
            </option>
          ))}
        </select>
      </label>
    </section>
  );
}

function describe({ text, messageId, status }: Message): string {
  const words = Array.from(text?.replace(/\s+/g, " ") ?? messageId);
  const shown = words.length > SHOWN_CHARACTERS ? `${words.slice(0, SHOWN_CHARACTERS).join("")}…` : words.join("");
  return status ? `${shown} (${status})` : shown;
}
