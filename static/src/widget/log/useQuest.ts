import { useCallback, useEffect, useState } from "preact/hooks";
import type { HistoryState, Message } from "../../client";
import type { LogScroller } from "./LogScroller";

/** So many messages are looked through for one that is quoted: further back nobody waits for it. */
const MAX_BACK = 2000;

/** How long the log says that it was in vain, in milliseconds. */
const LOST_MS = 5000;

interface Quest {
  /** Leads to a message. */
  readonly goTo: (messageId: string) => void;
  /** The last one that was looked for was not to be found. */
  readonly lost: boolean;
}

/** Goes to a message, through the history if it is older than all that is known. */
export function useQuest(
  scroller: LogScroller,
  messages: readonly Message[],
  history: HistoryState,
  onOlder: () => void,
): Quest {
  const [sought, setSought] = useState<{ readonly messageId: string; readonly from: number }>();
  const [lost, setLost] = useState(false);
  const goTo = useCallback(
    (messageId: string) => {
      setLost(false);
      if (!scroller.show(messageId, "middle")) setSought({ messageId, from: scroller.window.messages.length });
    },
    [scroller],
  );
  useEffect(() => {
    if (!sought) return;
    const found = scroller.show(sought.messageId, "middle");
    if (!found && history.name === "loading") return;
    if (!found && history.name === "more" && messages.length - sought.from < MAX_BACK) return onOlder();
    setSought(undefined);
    setLost(!found);
  }, [sought, messages, history, scroller, onOlder]);
  useEffect(() => {
    if (!lost) return;
    const timer = setTimeout(() => setLost(false), LOST_MS);
    return () => clearTimeout(timer);
  }, [lost]);
  return { goTo, lost };
}
