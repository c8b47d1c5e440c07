import { useEffect } from "preact/hooks";
import type { Conversation } from "../client";
import type { Strings } from "./strings";

/** Names the page after its conversation, and counts in the title what the customer writes while it is hidden. */
export function useUnreadTitle(conversation: Conversation, title: string, strings: Strings): void {
  useEffect(() => {
    let unread = 0;
    const show = () => (document.title = unread > 0 ? strings.unreadTitle(unread, title) : title);
    const onVisible = () => {
      if (document.hidden) return;
      unread = 0;
      show();
    };
    const stopListening = conversation.on("message", ({ direction }, origin) => {
      if (!document.hidden || direction === "out" || origin === "history") return;
      unread += 1;
      show();
    });
    document.addEventListener("visibilitychange", onVisible);
    show();
    return () => {
      stopListening();
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, [conversation, title, strings]);
}
