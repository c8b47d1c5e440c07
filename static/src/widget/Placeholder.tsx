import type { ConversationState, HistoryState } from "../client";
import { BubblesIcon, CloudOffIcon } from "./icons";
import { useTexts } from "./Texts";

interface PlaceholderProps {
  state: ConversationState;
  broken: boolean;
  history: HistoryState;
  /** The conversation has not been live yet. */
  fresh: boolean;
  /** Asks the history once more. */
  onRetry: () => void;
}

/** What stands in for messages while there are none. Only a live connection, and a history that has answered, know that there are none. */
export function Placeholder({ state, broken, history, fresh, onRetry }: PlaceholderProps) {
  const { strings } = useTexts();
  if (state.name === "live" && history.name === "failed") {
    return (
      <div class="placeholder" data-testid="history" data-state="failed">
        <span class="placeholder-icon">
          <CloudOffIcon />
        </span>
        <p>{strings.history.failed}</p>
        <button type="button" class="action" data-testid="history-retry" onClick={onRetry}>
          {strings.tryAgain}
        </button>
      </div>
    );
  }
  if (state.name === "live" && history.name !== "loading") {
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
  if (state.name === "offline" || (broken && !fresh)) {
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
    <>
      <p class="unseen" role="status">
        {state.name === "connecting" ? strings.connecting : strings.loading}
      </p>
      <Skeleton />
    </>
  );
}

/** The page before there is anything to show, as it stands in widget.html as well: there it waits for this script. */
export function Skeleton() {
  return (
    <div class="skeleton" data-testid="skeleton" aria-hidden="true">
      {Array.from({ length: 6 }, (_, index) => (
        <i key={index} />
      ))}
    </div>
  );
}
