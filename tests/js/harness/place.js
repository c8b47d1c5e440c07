/** What the browser's tests say over and over again. */
import { unique } from "./unique.js";

/** A conversation that nobody else uses. */
export function newPlace() {
  return { tenantId: unique("t"), conversationId: unique("c") };
}

/** A customer's message. */
export function inbound(messageId, text, more = {}) {
  return { messageId, text, from: "447700900123", ...more };
}

/** An agent's message. */
export function outbound(messageId, text, more = {}) {
  return { messageId, text, ...more };
}

/** The widget's link for a conversation; `query` is what else it says. */
export function address(server, place, token, query = {}) {
  return `${server.url}/widget?${new URLSearchParams({ ...place, ...query })}#token=${token}`;
}
