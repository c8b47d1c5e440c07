import { useEffect, useState } from "preact/hooks";
import type { ConversationState } from "../client";
import { CloudOffIcon } from "./icons";
import { useTexts } from "./Texts";

interface BannerProps {
  state: ConversationState;
  /** The connection was there, or was tried for, and is not back yet. */
  broken: boolean;
  onRetry: () => void;
}

/** How long "Back online" stays, in milliseconds. */
const BACK_ONLINE_MS = 3000;

/** Says that the connection is gone and when it is tried again; once it is back, says that for a moment. */
export function Banner({ state, broken, onRetry }: BannerProps) {
  const offline = state.name === "offline";
  const shown = offline || (state.name === "connecting" && broken);
  const backOnline = useBackOnline(shown, state.name === "live");
  const { strings } = useTexts();

  // The status region stays in the page, or a screen reader would miss what comes into it together with it.
  return (
    <div class="banner-area">
      <div role="status">
        {shown && <span class="unseen">{offline ? strings.offline[state.reason] : strings.reconnecting}</span>}
        {backOnline && (
          <p class="back-online" data-testid="back-online">
            {strings.backOnline}
          </p>
        )}
      </div>
      {shown && (
        <div class="banner" data-testid="banner" data-state={state.name}>
          <CloudOffIcon />
          <p aria-hidden="true">
            {offline ? strings.offline[state.reason] : strings.reconnecting}{" "}
            {offline && <Countdown until={state.nextTryAt} />}
          </p>
          {/* Not disabled: that would take the focus from who has just pressed it. */}
          <button type="button" data-testid="retry" aria-disabled={!offline} onClick={onRetry}>
            {strings.retry}
          </button>
        </div>
      )}
    </div>
  );
}

/** Kept out of the status region, which would read out every second. */
function Countdown({ until }: { until: number }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 250);
    return () => clearInterval(timer);
  }, [until]);
  const seconds = Math.max(0, Math.ceil((until - now) / 1000));
  return <span class="countdown">{useTexts().strings.nextTry(seconds)}</span>;
}

/** Whether it is time to say that the connection is back: for a moment after the banner gave way to `live`. */
function useBackOnline(broken: boolean, live: boolean): boolean {
  const [wasBroken, setWasBroken] = useState(false);
  if (broken && !wasBroken) setWasBroken(true);
  const back = wasBroken && live;
  useEffect(() => {
    if (!back) return;
    const timer = setTimeout(() => setWasBroken(false), BACK_ONLINE_MS);
    return () => clearTimeout(timer);
  }, [back]);
  return back;
}
