import type { OfflineReason, StopReason } from "../client";

/** Why the page shows no conversation: what the client says, and what the page itself finds missing. */
export type Blocker = Exclude<StopReason, "closed"> | "missing-conversation" | "missing-token";

/** All words of the page in one language. */
export interface Strings {
  readonly lang: string;
  readonly conversation: string;
  readonly messages: string;
  readonly agent: (name: string) => string;
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
  readonly gap: string;
  readonly dismiss: string;
  readonly blockers: Record<Blocker, { readonly title: string; readonly advice: string }>;
  readonly tryAgain: string;
  readonly showOlder: string;
  readonly showNewer: string;
  readonly newMessages: (count: number) => string;
  readonly toLatest: string;
  readonly unreadTitle: (count: number, title: string) => string;
  readonly today: string;
  readonly yesterday: string;
  readonly received: (from: string | undefined) => string;
  readonly sent: string;
  readonly statuses: Record<"sent" | "delivered" | "read" | "failed", string>;
  readonly failed: (reason: string | undefined) => string;
  readonly image: string;
  readonly audio: string;
  readonly video: string;
  readonly file: string;
  readonly blockedMedia: string;
  readonly unsupported: string;
}

const en: Strings = {
  lang: "en",
  conversation: "Conversation",
  messages: "Messages",
  agent: (name) => `Reading as ${name}`,
  states: {
    connecting: "Connecting…",
    "catching-up": "Catching up…",
    live: "Live",
    offline: "Offline",
    stopped: "Not connected",
  },
  connecting: "Connecting to the conversation…",
  loading: "Loading messages…",
  noConnection: "Messages appear here once there is a connection.",
  empty: { title: "No recent messages", hint: "New messages appear here as they arrive." },
  offline: {
    "no-network": "This device has no network connection.",
    unreachable: "The message service can’t be reached.",
    timeout: "The message service doesn’t answer.",
    "connection-lost": "The connection was lost.",
    disconnected: "The message service ended the connection.",
    unavailable: "The message service is unavailable at the moment.",
    "too-many-connections": "The message service is busy.",
  },
  nextTry: (seconds) => (seconds > 0 ? `Next try in ${seconds} s` : "Trying again…"),
  reconnecting: "Reconnecting…",
  retry: "Retry now",
  backOnline: "Back online",
  gap: "Some older messages may be missing here. Your portal has the whole conversation.",
  dismiss: "Dismiss",
  blockers: {
    "missing-conversation": {
      title: "This link is incomplete",
      advice: "It doesn’t say which conversation to show. Open the conversation again from your portal.",
    },
    "missing-token": {
      title: "You are not signed in",
      advice: "Open the conversation again from your portal to sign in.",
    },
    "authentication-required": {
      title: "You are not signed in",
      advice: "Open the conversation again from your portal to sign in.",
    },
    "invalid-token": {
      title: "Your sign-in was not accepted",
      advice: "Open the conversation again from your portal. If that doesn’t help, tell your administrator.",
    },
    "token-expired": {
      title: "Your session has ended",
      advice: "Open the conversation again from your portal to go on. New messages are not shown until then.",
    },
    "token-unavailable": {
      title: "Signing in didn’t work",
      advice: "Try again, or open the conversation again from your portal.",
    },
    forbidden: {
      title: "You have no access to this conversation",
      advice: "Ask your administrator for access, or choose another conversation in your portal.",
    },
    "invalid-conversation": {
      title: "This link is broken",
      advice: "It names no conversation that can exist. Open the conversation again from your portal.",
    },
  },
  tryAgain: "Try again",
  showOlder: "Show older messages",
  showNewer: "Show newer messages",
  newMessages: (count) => (count === 1 ? "1 new message" : `${count} new messages`),
  toLatest: "Go to the latest message",
  unreadTitle: (count, title) => `(${count}) ${title}`,
  today: "Today",
  yesterday: "Yesterday",
  received: (from) => (from === undefined ? "Customer:" : `${from}:`),
  sent: "Agent:",
  statuses: { sent: "Sent", delivered: "Delivered", read: "Read", failed: "Not delivered" },
  failed: (reason) => (reason === undefined ? "Not delivered" : `Not delivered: ${reason}`),
  image: "Image",
  audio: "Voice message or audio",
  video: "Video",
  file: "File",
  blockedMedia: "An attachment that can’t be opened safely",
  unsupported: "This kind of message can’t be shown here",
};

const CATALOGUES: ReadonlyMap<string, Strings> = new Map([en].map((strings) => [strings.lang, strings]));

/** The strings for a language tag such as `en-GB`; English when there are none for it. */
export function stringsFor(tag: string | null): Strings {
  return CATALOGUES.get(tag?.split("-")[0]?.toLowerCase() ?? "") ?? en;
}
