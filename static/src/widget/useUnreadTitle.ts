import { useEffect } from "preact/hooks";
import type { Conversation } from "../client";
import type { Strings } from "./strings";

/**
 * Names the page after its conversation, and counts in the title what the customer writes while it is hidden. What was
 * there before the page was is no news, as in a tab that is opened in the background.
 */
export function useUnreadTitle(conversation: Conversation, title: string, strings: Strings): void {
  useEffect(() => {
    let unread = 0;
    let begun = conversation.state.name === "live";
    const show = () => (document.title = unread > 0 ? strings.unreadTitle(unread, title) : title);
    const onVisible = () => {
      if (document.hidden) return;
      unread = 0;
      show();
    };
    const stopWaiting = conversation.on("state", ({ name }) => {
      if (name === "live") begun = true;
    });
    const stopListening = conversation.on("message", ({ direction }, origin) => {
      if (!begun || !document.hidden || direction === "out" || origin === "history") return;
      unread += 1;
      show();
    });
    document.addEventListener("visibilitychange", onVisible);
    show();
    return () => {
      stopWaiting();
      stopListening();
      document.removeEventListener("visibilitychange", onVisible);
    };
  }, [conversation, title, strings]);
}
