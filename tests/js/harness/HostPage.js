import { once } from "node:events";
import { createServer } from "node:http";

/** A portal's web server on an origin of its own, with a content security policy as strict as one can be. */
export class HostPage {
  #server;
  #files = new Map();
  #gateway = "";

  /** Answers for as long as the test runs; the gateway that allows its origin is named with `embeds`. */
  static async start(t) {
    const host = new HostPage();
    host.#server = createServer((request, response) => host.#answer(request, response));
    host.#server.listen(0, "127.0.0.1");
    await once(host.#server, "listening");
    t.after(() => {
      host.#server.closeAllConnections();
      host.#server.close();
    });
    return host;
  }

  get origin() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  /** The gateway whose script and frames its pages may hold. */
  embeds({ url }) {
    this.#gateway = url;
  }

  /** Has a page with this body and these headers, whose script runs before the body's; answers its address. */
  page(body, script = "", headers = {}) {
    this.#files.set("/host.js", { type: "text/javascript", content: script });
    this.#files.set("/", {
      type: "text/html; charset=utf-8",
      headers,
      content: `<!doctype html><html lang="en"><title>Portal</title><link rel="icon" href="data:,"><script src="/host.js"></script><body>${body}</body></html>`,
    });
    return `${this.origin}/`;
  }

  /** Has another page at `path`, without any policy but what these headers say. */
  other(path, content, headers = {}) {
    this.#files.set(path, { type: "text/html; charset=utf-8", content, headers, open: true });
    return this.origin + path;
  }

  #answer({ url }, response) {
    const file = this.#files.get(url);
    if (!file) return response.writeHead(404).end();
    const policy = `default-src 'none'; img-src 'self' data:; script-src 'self' ${this.#gateway}; frame-src 'self' ${this.#gateway}`;
    response.setHeader("content-type", file.type);
    for (const [name, value] of Object.entries(file.headers ?? {})) response.setHeader(name, value);
    if (!file.open) response.setHeader("content-security-policy", policy);
    response.end(file.content);
  }
}
