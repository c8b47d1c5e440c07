import { once } from "node:events";
import { connect, createServer } from "node:net";
import { finished, Transform } from "node:stream";

/** Keeps every chunk back for so many milliseconds. */
const longWay = (delay) =>
  new Transform({
    transform: (chunk, _encoding, done) => setTimeout(done, delay, null, chunk),
  });

/** The network between a client and the gateway: it can be cut, and mended. */
export class Proxy {
  #server;
  #target;
  #open = true;
  #delay = 0;
  #sockets = new Set();
  port;

  /** In front of `target`, a port of this machine, for as long as the test runs. */
  static async start(t, target) {
    const proxy = new Proxy();
    proxy.#target = target;
    proxy.#server = createServer((socket) => proxy.#accept(socket));
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    proxy.port = proxy.#server.address().port;
    t.after(() => {
      proxy.cut();
      proxy.#server.close();
    });
    return proxy;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Ends all connections, and every new one at once. */
  cut() {
    this.#open = false;
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  mend() {
    this.#open = true;
  }

  /** Puts the gateway so many milliseconds away, for connections from now on. */
  delay(milliseconds) {
    this.#delay = milliseconds;
  }

  #accept(client) {
    if (!this.#open) return client.resetAndDestroy();
    const server = connect(this.#target, "127.0.0.1");
    for (const [from, to] of [
      [client, server],
      [server, client],
    ]) {
      from.setNoDelay(true);
      this.#sockets.add(from);
      const way = this.#delay > 0 ? from.pipe(longWay(this.#delay)) : from;
      way.pipe(to);
      // What happens to one side happens to the other, but what is on its way when that closes still arrives.
      from.on("error", () => to.destroy());
      from.on("close", () => {
        this.#sockets.delete(from);
        if (way === from) return to.destroySoon();
        finished(way, () => to.destroySoon());
        way.end();
      });
    }
  }
}
