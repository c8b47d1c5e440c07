import type { ConversationState } from "../client";
import { BubblesIcon, CloudOffIcon } from "./icons";
import { useTexts } from "./Texts";

/** What stands in for messages while there are none. Only a live connection knows that there are none. */
export function Placeholder({ state, broken }: { state: ConversationState; broken: boolean }) {
  const { strings } = useTexts();
  if (state.name === "live") {
    return (
      <div class="placeholder" data-testid="empty">
        <span class="placeholder-icon">
          <BubblesIcon />
        </span>
        <h2>{strings.empty.title}</h2>
        <p>{strings.empty.hint}</p>
      </div>
    );
  }
  if (state.name === "offline" || broken) {
    return (
      <div class="placeholder">
        <span class="placeholder-icon">
          <CloudOffIcon />
        </span>
        <p>{strings.noConnection}</p>
      </div>
    );
  }
  return (
    <div class="placeholder" aria-busy="true">
      <span class="spinner" aria-hidden="true" />
      <p>{state.name === "catching-up" ? strings.loading : strings.connecting}</p>
    </div>
  );
}
