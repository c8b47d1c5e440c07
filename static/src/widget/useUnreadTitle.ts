import { useEffect } from "preact/hooks";
import type { Unread } from "./log/Unread";
import type { Strings } from "./strings/Strings";

/** Names the page after its conversation, and counts in the title what the customer writes while it is hidden. */
export function useUnreadTitle(unread: Unread, title: string, strings: Strings | undefined): void {
  useEffect(() => {
    const show = () => {
      const { count } = unread;
      document.title = strings && document.hidden && count > 0 ? strings.unreadTitle(count, title) : title;
    };
    document.addEventListener("visibilitychange", show);
    const stopListening = unread.on("change", show);
    show();
    return () => {
      document.removeEventListener("visibilitychange", show);
      stopListening();
    };
  }, [unread, title, strings]);
}
