import { useEffect, useState } from "preact/hooks";
import type { Conversation } from "../client";
import { Chime } from "./Chime";

const KEY = "agent-gateway:sound";

/** Whether new messages of the customer's are heard, and how to change it. Off until the agent wants it; remembered. */
export function useSound(conversation: Conversation): { on: boolean; toggle: () => void } {
  const [chime] = useState(() => new Chime());
  const [on, setOn] = useState(() => inStorage((storage) => storage.getItem(KEY)) === "on");

  useEffect(() => {
    if (!on) return;
    const allow = () => chime.allow();
    const gestures = ["pointerdown", "keydown"] as const;
    for (const gesture of gestures) document.addEventListener(gesture, allow);
    const stopListening = conversation.on("message", ({ direction }, origin) => {
      if (direction === "in" && origin === "live") chime.ring();
    });
    return () => {
      for (const gesture of gestures) document.removeEventListener(gesture, allow);
      stopListening();
    };
  }, [conversation, chime, on]);

  const toggle = () => {
    if (!on) chime.allow();
    setOn(!on);
    inStorage((storage) => storage.setItem(KEY, on ? "off" : "on"));
  };
  return { on, toggle };
}

/** A browser may refuse storage; then the choice lasts as long as the page. */
function inStorage<Result>(use: (storage: Storage) => Result): Result | undefined {
  try {
    return use(localStorage);
  } catch {
    return undefined;
  }
}
