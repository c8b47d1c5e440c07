/** Why there is no connection at the moment. */
export type OfflineReason =
  /** The device says that it has no network. */
  | "no-network"
  /** The gateway could not be reached. */
  | "unreachable"
  /** The gateway was reached and did not answer in time. */
  | "timeout"
  /** A connection that stood was lost. */
  | "connection-lost"
  /** The gateway ended the connection. */
  | "disconnected"
  /** The gateway is shutting down, or cannot check tokens. */
  | "unavailable"
  /** The gateway takes no more connections. */
  | "too-many-connections";

/** Why no further try is made. */
export type StopReason =
  /** `close()` was called, or `connect()` not yet. */
  | "closed"
  | "authentication-required"
  | "invalid-token"
  | "token-expired"
  /** `getToken` failed, or answered nothing. */
  | "token-unavailable"
  /** `getToken` answered something that is no token, such as a page to sign in on; the `error` event says what. */
  | "token-unusable"
  | "forbidden"
  | "invalid-conversation"
  /** The history says that there is no such conversation (`context.valid` is false). */
  | "no-such-conversation"
  /**
   * The gateway takes no requests from pages of this origin. A proxy in front of it may hide which host was asked for:
   * then the gateway's `PUBLIC_URL` has to name it, or `ALLOWED_ORIGINS` the page of another origin.
   */
  | "origin-not-allowed";

/** The one value that says how a conversation is doing. */
export type ConversationState =
  /** `attempt` counts from 1 and starts anew with every join. */
  | { readonly name: "connecting"; readonly attempt: number }
  /** Joined, and what was missed is on its way. */
  | { readonly name: "catching-up" }
  | { readonly name: "live" }
  /** `nextTryAt` is in milliseconds since the epoch. */
  | { readonly name: "offline"; readonly reason: OfflineReason; readonly nextTryAt: number }
  | { readonly name: "stopped"; readonly why: StopReason };
