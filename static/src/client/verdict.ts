import type { OfflineReason, StopReason } from "./ConversationState";

/** What a failed connect means for the next one. */
export type Verdict =
  | { readonly then: "stop"; readonly why: StopReason }
  | { readonly then: "renew" }
  | { readonly then: "retry"; readonly reason: OfflineReason };

const REFUSALS: ReadonlyMap<string, Verdict> = new Map<string, Verdict>([
  ["Authentication required", { then: "stop", why: "authentication-required" }],
  ["Invalid token", { then: "stop", why: "invalid-token" }],
  ["Token expired", { then: "renew" }],
  ["Forbidden", { then: "stop", why: "forbidden" }],
  ["Invalid conversation", { then: "stop", why: "invalid-conversation" }],
  ["Too many connections", { then: "retry", reason: "too-many-connections" }],
  ["Service unavailable", { then: "retry", reason: "unavailable" }],
]);

/** Judges the message of a `connect_error`. What is no refusal of the gateway's is a network that may heal. */
export function judgeRefusal(message: string): Verdict {
  return REFUSALS.get(message) ?? { then: "retry", reason: unlessNoNetwork("unreachable") };
}

/** Judges the reason that Socket.IO gives for a `disconnect`. */
export function judgeDisconnect(reason: string): OfflineReason {
  return reason === "io server disconnect" ? "disconnected" : unlessNoNetwork("connection-lost");
}

/** The device's own word that it has no network explains more than the error it caused. */
function unlessNoNetwork(reason: OfflineReason): OfflineReason {
  return globalThis.navigator?.onLine === false ? "no-network" : reason;
}
