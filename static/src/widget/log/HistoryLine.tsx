import type { HistoryState } from "../../client";
import { useTexts } from "../Texts";

interface HistoryLineProps {
  history: HistoryState;
  onRetry: () => void;
}

/** Above the first message: whether there are older ones. It is as high as a line at all times, so that nothing moves. */
export function HistoryLine({ history: { name }, onRetry }: HistoryLineProps) {
  const { strings } = useTexts();
  if (name === "none") return null;
  return (
    <div class="history" role="status" data-testid="history" data-state={name}>
      {name === "loading" && (
        <>
          <span class="spinner" aria-hidden="true" />
          <span>{strings.history.loading}</span>
        </>
      )}
      {name === "failed" && (
        <>
          <span>{strings.history.failed}</span>
          <button type="button" data-testid="history-retry" onClick={onRetry}>
            {strings.tryAgain}
          </button>
        </>
      )}
      {name === "complete" && <span>{strings.history.beginning}</span>}
    </div>
  );
}
