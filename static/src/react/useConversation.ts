import { useEffect, useMemo, useSyncExternalStore } from "react";
import type { ConversationOptions } from "../client";
import { ConversationStore, type ConversationSnapshot } from "./ConversationStore";

/** A conversation as a component sees it. */
export interface LiveConversation extends ConversationSnapshot {
  /** Ends the wait for the next try, or takes up again what a refusal has stopped. */
  readonly retryNow: () => void;
  /** Asks `history` for what is older than all that is known; where it has failed, for what it was asked then. */
  readonly loadOlder: () => void;
}

/**
 * Connects to a conversation for as long as the component is there, and renders it as it changes. `getToken` and `history`
 * may be written anew with each rendering; another `url`, tenant or conversation is another connection.
 */
export function useConversation({
  url,
  tenantId,
  conversationId,
  getToken,
  history,
}: ConversationOptions): LiveConversation {
  const hasHistory = history !== undefined;
  const store = useMemo(
    () => new ConversationStore({ url, tenantId, conversationId }, hasHistory),
    [url, tenantId, conversationId, hasHistory],
  );
  // Before the subscription, which asks for a token.
  useEffect(() => store.use({ getToken, ...(history && { history }) }), [store, getToken, history]);
  const snapshot = useSyncExternalStore(store.subscribe, store.getSnapshot, store.getSnapshot);
  return useMemo(() => ({ ...snapshot, retryNow: store.retryNow, loadOlder: store.loadOlder }), [snapshot, store]);
}
