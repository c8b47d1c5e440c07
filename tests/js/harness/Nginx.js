import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { selfSigned } from "./certificate.js";
import { nginx } from "./environment.js";
import { until } from "./until.js";

/** The port of the first gateway in the examples. */
const FIRST_PORT = 3012;

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

  get url() {
    return `http://127.0.0.1:${this.port}`;
  }

  get tlsUrl() {
    return `https://127.0.0.1:${this.port}`;
  }

  /** Runs with this inside of `server { }`, and waits until it takes connections. */
  async start(server) {
    await this.#run(`events {} http { access_log off; server { listen 127.0.0.1:${this.port}; ${server} } }`);
  }

  /** Runs with an example of `deploy/` in which only ports and files are others: in it, gateways have those from 3012 on. */
  async startExample({ configuration }, ...gatewayPorts) {
    const { certificate, key } = await selfSigned(this.#folder);
    await this.#run(
      replaceAll(configuration, [
        [/listen 443 /g, `listen 127.0.0.1:${this.port} `],
        ...gatewayPorts.map((port, index) => [new RegExp(`server 127\\.0\\.0\\.1:${FIRST_PORT + index}\\b`, "g"), `server 127.0.0.1:${port}`]),
        [/ssl_certificate \S+;/g, `ssl_certificate ${certificate};`],
        [/ssl_certificate_key \S+;/g, `ssl_certificate_key ${key};`],
        [/access_log \S+ /g, `access_log ${join(this.#folder, "access.log")} `],
      ]),
    );
  }

  async #run(configuration) {
    const temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"].map((what) => `${what}_temp_path ${what};`);
    const file = join(this.#folder, "nginx.conf");
    await writeFile(file, replaceAll(configuration, [[/\bhttp \{/g, `http { ${temporary.join(" ")}`]]));
    // One process, which nobody outlives; as it is no daemon, it ends with its id.
    const directives = "daemon off; master_process off; pid nginx.pid; error_log stderr warn;";
    const child = spawn(nginx(), ["-p", this.#folder, "-c", file, "-e", "stderr", "-g", directives], { stdio: ["ignore", "ignore", "pipe"] });
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

/** An example of `deploy/`: its text, and what it says to set for the gateway, by name. */
export async function example(name) {
  const configuration = await readFile(new URL(`../../../deploy/${name}`, import.meta.url), "utf8");
  const line = /^# Gateway: (.+)$/m.exec(configuration)?.[1];
  assert.ok(line, `deploy/${name} says what to set for the gateway`);
  return { configuration, variables: Object.fromEntries(line.split(" ").map((variable) => variable.split(/=(.*)/, 2))) };
}

/** An example that has no longer what is replaced would listen, or write, where it must not. */
function replaceAll(text, replacements) {
  return replacements.reduce((text, [pattern, value]) => {
    assert.match(text, new RegExp(pattern.source));
    return text.replaceAll(pattern, () => value);
  }, text);
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
