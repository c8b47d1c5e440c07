import { once } from "node:events";
import { createServer } from "node:http";

/**
 * A portal's history service: the messages of conversations, page by page, over HTTP with CORS. It can be slow and it can
 * fail.
 */
export class HistoryServer {
  #server;
  #conversations = new Map();
  #contexts = new Map();
  #held = [];
  #holding = false;
  /** The status of each answer in place of a page, if any. */
  failing;
  /** What it was asked, with the token that came along. */
  requests = [];

  /** Answers for as long as the test runs. */
  static async start(t) {
    const history = new HistoryServer();
    history.#server = createServer((request, response) => void history.#answer(request, response));
    history.#server.listen(0, "127.0.0.1");
    await once(history.#server, "listening");
    t.after(() => {
      history.#server.closeAllConnections();
      history.#server.close();
    });
    return history;
  }

  get origin() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** What `HISTORY_URL_TEMPLATE` is to be. */
  get template() {
    return `${this.origin}/tenants/{tenantId}/messages?conversation={conversationId}`;
  }

  /** Has these messages, oldest first, behind those it has of a conversation. */
  add({ conversationId }, ...messages) {
    this.#conversations.set(conversationId, [...(this.#conversations.get(conversationId) ?? []), ...messages]);
  }

  /** Says this of a conversation as a whole. */
  describe({ conversationId }, context) {
    this.#contexts.set(conversationId, context);
  }

  /** Answers nobody until `release`. */
  hold() {
    this.#holding = true;
  }

  release() {
    this.#holding = false;
    for (const answer of this.#held.splice(0)) answer();
  }

  async #answer({ method, url, headers }, response) {
    response.setHeader("access-control-allow-origin", headers.origin ?? "*");
    response.setHeader("access-control-allow-headers", "authorization, accept");
    if (method === "OPTIONS") return response.writeHead(204).end();
    const { pathname, searchParams } = new URL(url, this.origin);
    const query = Object.fromEntries(searchParams);
    this.requests.push({ pathname, query, token: headers.authorization?.replace(/^Bearer /, "") });
    if (this.#holding) await new Promise((resolve) => this.#held.push(resolve));
    if (this.failing) return response.writeHead(this.failing).end("out of order");
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(this.page(query.conversation, query)));
  }

  /** A page of the newest messages, or of those before another, which this store may not have. */
  page(conversationId, { before, beforeTimestamp, limit }) {
    const messages = this.#conversations.get(conversationId) ?? [];
    const known = messages.findIndex(({ messageId }) => messageId === before);
    const older = messages.filter(({ timestamp }) => timestamp < beforeTimestamp).length;
    const end = before === undefined ? messages.length : known < 0 ? older : known;
    const begin = Math.max(0, end - Number(limit));
    return { messages: messages.slice(begin, end), more: begin > 0, context: this.#contexts.get(conversationId) };
  }
}

/** So many messages of a conversation, a minute apart, the last of them some minutes ago. */
export function past(count, { ago = 60, prefix = "old" } = {}) {
  const end = Date.now() - ago * 60_000;
  return Array.from({ length: count }, (_, index) => ({
    messageId: `${prefix}-${index + 1}`,
    direction: index % 3 === 2 ? "out" : "in",
    type: "text",
    text: `${prefix} ${index + 1}`,
    timestamp: new Date(end - (count - index) * 60_000).toISOString(),
  }));
}
