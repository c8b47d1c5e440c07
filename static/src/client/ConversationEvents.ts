import type { ConversationState } from "./ConversationState";
import type { Message, StatusUpdate } from "./Message";
import type { Meta } from "./wire";

/** How a message came: as it happened, from the gateway's window, or from the `history` callback. */
export type MessageOrigin = "live" | "replay" | "history";

/** Messages between the last one shown and the window may be missing. */
export interface Gap {
  /** The gateway's word for why. */
  readonly reason: string;
  /** The `history` callback has filled it. */
  readonly filled: boolean;
}

/** The events of a `Conversation` and their listeners' arguments. */
export interface ConversationEvents {
  /** A message that was not known before. It is in `messages` already, with the furthest status known. */
  message: [message: Message, origin: MessageOrigin];
  /** The status of a message that is shown has moved forward; `messages` holds the message as it is now. */
  status: [update: StatusUpdate];
  state: [state: ConversationState];
  /** The gateway could not resume without a gap; comes once `history`, if there is one, has answered. */
  reset: [gap: Gap];
  /** An event of another name, as the portal gave it to the relay. */
  event: [name: string, payload: unknown, meta: Meta];
  /** Something went wrong that the state does not tell: a callback failed, or the gateway refused a fresh token. */
  error: [error: Error];
}
