import type { ConversationState } from "./ConversationState";
import type { Context, HistoryState } from "./History";
import type { Message, StatusUpdate } from "./Message";
import type { Meta } from "./wire";

/** How a message came: as it happened, from the gateway's window, or from the `history` callback. */
export type MessageOrigin = "live" | "replay" | "history";

/** Messages may be missing at a place of the conversation. */
export interface Gap {
  /** The gateway's word for why. */
  readonly reason: string;
  /** The `history` callback has filled it. */
  readonly filled: boolean;
  /** The message after which others may be missing; absent where it is filled, or above all that is known. */
  readonly after?: string;
}

/** The events of a `Conversation` and their listeners' arguments. */
export interface ConversationEvents {
  /**
   * A message from the gateway that was not known before. It is in `messages` already, with the furthest status known.
   * `news` tells that it has come since the conversation was first live, also where the connection was cut in
   * between: what is worth a sound or a count.
   */
  message: [message: Message, origin: MessageOrigin, news: boolean];
  /**
   * What an answer of `history` has added, oldest first, in one event; it is in `messages` already. `news` is how many of
   * them, counted from the end, were missed since the conversation was first live.
   */
  messages: [messages: readonly Message[], origin: MessageOrigin, news: number];
  /** The status of a message that is shown has moved forward; `messages` holds the message as it is now. */
  status: [update: StatusUpdate];
  /**
   * A message that is shown has been changed by another: a reaction to it, an edit or a delete; `message` is how it is
   * now. What is about a message that is not known is a `message` of its own until that one comes.
   */
  change: [message: Message, cause: Message, news: boolean];
  state: [state: ConversationState];
  /** The gateway could not resume without a gap; comes once `history`, if there is one, has answered. */
  reset: [gap: Gap];
  /** What is known of older messages, and whether `history` is being asked. */
  history: [state: HistoryState];
  /** What `history` says of the conversation as a whole has changed. */
  context: [context: Context];
  /** An event of another name, as the portal gave it to the relay. */
  event: [name: string, payload: unknown, meta: Meta];
  /** Something went wrong that the state does not tell: a callback failed, or the gateway refused a fresh token. */
  error: [error: Error];
}
