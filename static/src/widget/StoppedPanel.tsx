import { LockIcon } from "./icons";
import type { Blocker } from "./strings";
import { useTexts } from "./Texts";

interface StoppedPanelProps {
  why: Blocker;
  /** Missing where trying again could change nothing. */
  onRetry?: () => void;
}

/** Says why nothing more comes, and what the agent can do about it. */
export function StoppedPanel({ why, onRetry }: StoppedPanelProps) {
  const { strings } = useTexts();
  const { title, advice } = strings.blockers[why];
  return (
    <section class="stopped" role="alert" data-testid="stopped" data-reason={why}>
      <span class="stopped-icon">
        <LockIcon />
      </span>
      <h2>{title}</h2>
      <p>{advice}</p>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          {strings.tryAgain}
        </button>
      )}
    </section>
  );
}
