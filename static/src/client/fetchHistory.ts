import type { GetHistory, HistoryPage } from "./History";

/** Which conversation an address is about. */
export interface Place {
  readonly tenantId: string;
  readonly conversationId: string;
}

/**
 * A `history` that asks an HTTP service: GET with the agent's token as bearer; `before`, `beforeTimestamp` and `limit` in
 * the query; the answer is a `HistoryPage` as JSON. `{tenantId}` and `{conversationId}` in the address are filled in.
 */
export function fetchHistory(template: string, place: Place): GetHistory {
  const address = template.replace(/\{(tenantId|conversationId)\}/g, (_, name: keyof Place) => encodeId(place[name]));
  return async ({ before, beforeTimestamp, limit, signal, getToken }) => {
    const url = new URL(address, globalThis.location?.href);
    url.searchParams.set("limit", String(limit));
    if (before !== undefined) url.searchParams.set("before", before);
    if (beforeTimestamp !== undefined) url.searchParams.set("beforeTimestamp", beforeTimestamp);
    const headers = { accept: "application/json", authorization: `Bearer ${await getToken()}` };
    const response = await fetch(url, { headers, signal, cache: "no-store" });
    if (!response.ok) throw new Error(`the history service answered ${response.status}`);
    return (await response.json()) as HistoryPage;
  };
}

function encodeId(id: string): string {
  // However they are written, browsers take them for a step within the path.
  if (id === "." || id === "..") throw new TypeError(`"${id}" cannot be in an address`);
  return encodeURIComponent(id);
}
