import type { Message, OfflineReason, StopReason } from "../../client";

/** Why the page shows no conversation: what the client says, and what the page itself finds missing. */
export type Blocker = Exclude<StopReason, "closed"> | "missing-conversation" | "missing-token" | "sandboxed";

/** All words of the page in one language. */
export interface Strings {
  readonly lang: string;
  readonly conversation: string;
  readonly messages: string;
  readonly readingAs: (name: string) => string;
  readonly states: Record<"connecting" | "catching-up" | "live" | "offline" | "stopped", string>;
  readonly connecting: string;
  readonly loading: string;
  readonly noConnection: string;
  readonly empty: { readonly title: string; readonly hint: string };
  readonly offline: Record<OfflineReason, string>;
  readonly nextTry: (seconds: number) => string;
  readonly reconnecting: string;
  readonly retry: string;
  readonly backOnline: string;
  /** Stands in the log where messages may be missing. */
  readonly gap: string;
  readonly history: Record<"loading" | "failed" | "beginning", string>;
  readonly blockers: Record<Blocker, { readonly title: string; readonly advice: string }>;
  readonly tryAgain: string;
  readonly newMessages: (count: number) => string;
  /** On the line above the first of them. */
  readonly unread: string;
  readonly toLatest: string;
  readonly unreadTitle: (count: number, title: string) => string;
  readonly today: string;
  readonly yesterday: string;
  /** Who wrote a message, where nothing says it better. */
  readonly senders: Record<Message["direction"], string>;
  /** Before what somebody has written, for those who hear it. */
  readonly says: (name: string) => string;
  readonly statuses: Record<"sent" | "delivered" | "read" | "failed", string>;
  readonly sound: string;
  /** Sound is wanted, and the browser waits for a gesture. */
  readonly soundWaits: string;
  readonly readMore: string;
  readonly enlarge: string;
  readonly openOriginal: string;
  readonly close: string;
  /** What a message is, in its place or in a quote of it. */
  readonly kinds: Record<Kind, string>;
  readonly openMap: string;
  readonly forwarded: string;
  readonly edited: string;
  readonly deleted: string;
  /** A message that is older than all that is here, and what was done to it. */
  readonly earlier: {
    readonly message: string;
    readonly reacted: (emoji: string) => string;
    readonly unreacted: string;
    readonly edited: string;
    readonly deleted: string;
  };
  readonly reactions: string;
  readonly reaction: (name: string, emoji: string) => string;
  /** A quote's button. */
  readonly toQuoted: (name: string) => string;
  readonly quotedMissing: string;
  readonly details: Record<DetailName, string>;
  readonly blockedMedia: string;
  /** It has no address: the provider's id is all that is known. */
  readonly absentMedia: string;
  readonly brokenMedia: string;
  readonly unsupported: string;
  readonly brokenMessage: string;
}

/** The kinds of messages that have a name of their own. */
export type Kind =
  | "image"
  | "video"
  | "audio"
  | "voice"
  | "document"
  | "sticker"
  | "location"
  | "contacts"
  | "button"
  | "interactive"
  | "order"
  | "system";

/** The lines of a message's details. */
export type DetailName =
  | "title"
  | "by"
  | "from"
  | "written"
  | "sent"
  | "delivered"
  | "read"
  | "failed"
  | "reason"
  | "code"
  | "edited"
  | "deleted"
  | "messageId";
