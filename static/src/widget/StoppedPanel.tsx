import { LockIcon } from "./icons";
import { GATEWAY_URL } from "./PageBase";
import type { Blocker } from "./strings/Strings";
import { useTexts } from "./Texts";

interface StoppedPanelProps {
  why: Blocker;
  /** Missing where trying again could change nothing. */
  onRetry?: () => void;
}

/** What is to be written, and where nobody can guess it: into the gateway's configuration, or into the portal's page. */
const SETTINGS: Partial<Record<Blocker, string>> = {
  "origin-not-allowed": `PUBLIC_URL=${GATEWAY_URL}`,
  sandboxed: 'sandbox="allow-scripts allow-same-origin allow-popups"',
};

/** What the link itself is wrong about: it stays so however often it is tried. */
const FOR_GOOD: ReadonlySet<Blocker> = new Set(["invalid-conversation"]);

/** Says why nothing more comes, and what the agent can do about it. */
export function StoppedPanel({ why, onRetry }: StoppedPanelProps) {
  const { strings } = useTexts();
  const { title, advice } = strings.blockers[why];
  const setting = SETTINGS[why];
  return (
    <section class="stopped" role="alert" data-testid="stopped" data-reason={why}>
      <span class="stopped-icon">
        <LockIcon />
      </span>
      <h2>{title}</h2>
      <p>{advice}</p>
      {setting && <code data-testid="setting">{setting}</code>}
      {onRetry && !FOR_GOOD.has(why) && (
        <button type="button" class="action" onClick={onRetry}>
          {strings.tryAgain}
        </button>
      )}
    </section>
  );
}
