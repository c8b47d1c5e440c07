import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nginx } from "./environment.js";
import { until } from "./until.js";

/** Debian's nginx in front of a gateway, with a port and a folder of its own. */
export class Nginx {
  #folder;
  #process;
  #log = "";
  port;

  /**
   * Has a port and a folder for as long as the test runs, and does not run yet: a gateway is told its address before it
   * starts, and this the gateway's.
   */
  static async prepare(t) {
    const nginx = new Nginx();
    nginx.#folder = await mkdtemp(join(tmpdir(), "gateway-nginx-"));
    nginx.port = await freePort();
    t.after(() => nginx.#remove());
    return nginx;
  }

  get folder() {
    return this.#folder;
  }

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  get tlsUrl() {
    return `https://127.0.0.1:${this.port}`;
  }

  /** Runs with this inside of `http { }`, and waits until it takes connections. */
  async start(http) {
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((what) => `${what}_temp_path ${what};`);
    const file = join(this.#folder, "nginx.conf");
    // One process, which nobody outlives; as it is no daemon, it ends with its id.
    await writeFile(
      file,
      `daemon off; master_process off; pid nginx.pid; error_log stderr warn;
      events {}
      http { access_log off; ${temporary.join(" ")}
      ${http}
      }`,
    );
    const child = spawn(nginx(), ["-p", this.#folder, "-c", file, "-e", "stderr"], { stdio: ["ignore", "ignore", "pipe"] });
    child.stderr.on("data", (text) => (this.#log += text));
    this.#process = child;
    process.once("exit", this.#kill);
    await until("nginx takes connections", async () => {
      assert.equal(child.exitCode ?? child.signalCode, null, `nginx has ended:\n${this.#log}`);
      return takesConnections(this.port);
    });
  }

  async #remove() {
    const child = this.#process;
    process.off("exit", this.#kill);
    if (child && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      await ended;
    }
    await rm(this.#folder, { recursive: true });
  }

  #kill = () => this.#process?.kill("SIGKILL");
}

/** A port that nobody listens on at the moment. */
async function freePort() {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  server.close();
  await once(server, "close");
  return port;
}

async function takesConnections(port) {
  const socket = connect(port, "127.0.0.1");
  try {
    await once(socket, "connect");
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
