import type { Message } from "./Message";

/** What a page of history is asked for. */
export interface HistoryRequest {
  /** Messages older than the one with this messageId; absent: the newest. */
  readonly before?: string;
  /** That message's time, RFC 3339, for a store that is searched by time. */
  readonly beforeTimestamp?: string;
  /** How many to answer at most. Fewer are no sign that there are no more. */
  readonly limit: number;
  /** Aborted when nobody waits for the answer any more. */
  readonly signal: AbortSignal;
  /** Answers the token that the conversation uses, for a service that takes the same one. */
  readonly getToken: () => Promise<string>;
}

/**
 * A message as a store has it: the gateway's fields (`messageId`, `type`, `text`, …), `direction`, and for the agents' own
 * `status` and `error`. It may be a reaction, an edit or a delete too, or have been changed already (`reactions`,
 * `editedAt`, `deletedAt`). What is not understood is ignored.
 */
export interface HistoryMessage extends Partial<Omit<Message, "messageId" | "direction" | "timestamp">> {
  readonly messageId: string | number;
  readonly direction: "in" | "out";
  /** RFC 3339, or Unix seconds or milliseconds. */
  readonly timestamp: string | number;
}

/** What is known of a conversation beside its messages. */
export interface Context {
  /** What to call the conversation. */
  readonly title?: string;
  /** The customer's name. */
  readonly customer?: string;
  /** False: there is no such conversation, and the client stops. */
  readonly valid?: boolean;
}

/** A page of history. */
export interface HistoryPage {
  /** In any order. */
  readonly messages: readonly HistoryMessage[];
  /** There are older ones. */
  readonly more: boolean;
  readonly context?: Context;
}

/** Answers messages from the portal's store; or nothing, where it turns out that there is no store to ask. */
export type GetHistory = (request: HistoryRequest) => Promise<HistoryPage | null | undefined>;

/** How far back the messages are known. */
export type HistoryState =
  /** There is no `history` callback, or it has not been asked yet. */
  | { readonly name: "none" }
  | { readonly name: "loading"; readonly what: HistoryTask }
  /** There are older messages: `loadOlder()`. */
  | { readonly name: "more" }
  /** The first message of the conversation is known. */
  | { readonly name: "complete" }
  /** It did not answer, or not with a page: `loadOlder()` tries again. */
  | { readonly name: "failed"; readonly what: HistoryTask };

/** What is being asked for: the newest at the start, what is older, or what was missed. */
export type HistoryTask = "start" | "older" | "gap";
