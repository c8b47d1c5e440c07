import { useEffect, useRef, useState } from "preact/hooks";
import type { Conversation } from "../client";
import type { Chime } from "./Chime";
import { useLazy } from "./useLazy";

const KEY = "agent-gateway:sound";

/** The button that turns it on and off. */
const BELL = "[data-testid=sound]";

const loadChime = async (): Promise<Chime> => new (await import("./Chime")).Chime();

const GESTURES = ["pointerdown", "keydown"] as const;

/** Whether new messages of the customer's are heard. */
export interface Sound {
  readonly on: boolean;
  /** It is wanted, and the browser lets nothing be heard before the agent's first gesture on the page. */
  readonly waits: boolean;
  readonly toggle: () => void;
}

/** The sound of new messages, and how to change it. Off until the agent wants it; remembered. */
export function useSound(conversation: Conversation): Sound {
  const [on, setOn] = useState(() => inStorage((storage) => storage.getItem(KEY)) === "on");
  const [allowed, setAllowed] = useState(false);
  const chime = useLazy(on && allowed, loadChime);
  const current = useRef(chime);
  current.current = chime;

  useEffect(() => {
    if (!on) return;
    const allow = () => {
      current.current?.allow();
      setAllowed(true);
    };
    const onGesture = ({ target }: Event) => {
      // The bell's own click does it there, or would find sound allowed already and turn it off.
      if (!(target instanceof Element && target.closest(BELL))) allow();
    };
    // For some browsers a gesture before the page was loaded is enough.
    if (navigator.userActivation?.hasBeenActive) allow();
    for (const gesture of GESTURES) document.addEventListener(gesture, onGesture);
    const stopListening = [
      conversation.on("message", ({ direction }, _origin, news) => {
        if (news && direction === "in") current.current?.ring();
      }),
      conversation.on("messages", (messages, _origin, news) => {
        if (news > 0 && messages.slice(-news).some(({ direction }) => direction === "in")) current.current?.ring();
      }),
    ];
    return () => {
      for (const gesture of GESTURES) document.removeEventListener(gesture, onGesture);
      for (const stop of stopListening) stop();
    };
  }, [conversation, on]);

  const waits = on && !allowed;
  const toggle = () => {
    current.current?.allow();
    setAllowed(true);
    if (waits) return;
    setOn(!on);
    inStorage((storage) => storage.setItem(KEY, on ? "off" : "on"));
  };
  return { on, waits, toggle };
}

/** A browser may refuse storage; then the choice lasts as long as the page. */
function inStorage<Result>(run: (storage: Storage) => Result): Result | undefined {
  try {
    return run(localStorage);
  } catch {
    return undefined;
  }
}
