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

/** A `connect_error`: the gateway's word, or how the transport failed. */
export interface Refusal {
  readonly message: string;
  /** The HTTP status, where the transport failed for an answer. */
  readonly description?: unknown;
  /** The request with that answer. */
  readonly context?: unknown;
}

/** Engine.IO's code for a request that the server does not allow: this gateway's, for an origin that it does not know. */
const FORBIDDEN = 4;

/** Judges a `connect_error`. What is no refusal of the gateway's is a network that may heal. */
export function judgeRefusal(refusal: Refusal): Verdict {
  if (isForeignOrigin(refusal)) return { then: "stop", why: "origin-not-allowed" };
  return REFUSALS.get(refusal.message) ?? { then: "retry", reason: unlessNoNetwork("unreachable") };
}

/**
 * Whether the gateway has answered that it does not take requests from pages of this origin. A page of another origin
 * cannot tell, since its browser keeps the answer from it.
 */
function isForeignOrigin({ description, context }: Refusal): boolean {
  if (description !== 403) return false;
  try {
    const { responseText } = context as { responseText: string };
    return (JSON.parse(responseText) as { code?: unknown }).code === FORBIDDEN;
  } catch {
    // A proxy's own answer.
    return false;
  }
}

/** Judges the reason that Socket.IO gives for a `disconnect`. */
export function judgeDisconnect(reason: string): OfflineReason {
  return reason === "io server disconnect" ? "disconnected" : unlessNoNetwork("connection-lost");
}

/** The device's own word that it has no network explains more than the error it caused. */
function unlessNoNetwork(reason: OfflineReason): OfflineReason {
  return globalThis.navigator?.onLine === false ? "no-network" : reason;
}
