import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { afterEach } from "node:test";
import { setImmediate } from "node:timers/promises";
import { amqpUrl, gatewayBin } from "./environment.js";
import { now, sign } from "./jwt.js";
import { unique } from "./unique.js";
import { until } from "./until.js";

/** So many messages are published at a stretch. */
const SLICE = 50;

/** Those whose logs belong to the test that runs. */
const gateways = new Set();

// Whoever ends the tests ends the gateways, too: a signal alone would skip what is done on exit.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

/** The built gateway, running as `serve` or another command with names, keys and a port of its own. */
export class Gateway {
  #broker;
  #env;
  #command;
  #process;
  #ended;
  #port = 0;
  #log = [];
  #printed = "";
  #secrets = [];
  #leaks = new Set();

  jwtSecret = randomBytes(32).toString("base64url");
  apiKey = randomBytes(24).toString("base64url");
  names = {
    exchange: unique("test-js.events"),
    inboundQueue: unique("test-js.inbound"),
    statusQueue: unique("test-js.status"),
    deadLetterQueue: unique("test-js.dead"),
    journalStream: unique("test-js.journal"),
  };

  constructor(broker, env = {}, command = ["serve"]) {
    this.#broker = broker;
    this.#env = env;
    this.#command = command;
    this.#secrets.push(this.jwtSecret, this.apiKey);
    gateways.add(this);
  }

  /** A gateway for one test: started, and stopped and removed after it. */
  static async start(t, broker, env, command) {
    const gateway = new Gateway(broker, env, command);
    t.after(() => gateway.remove());
    await gateway.start();
    return gateway;
  }

  get port() {
    return this.#port;
  }

  /** What it has written to its standard output. */
  get printed() {
    return this.#printed;
  }

  get url() {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts it, on the port it had before if it ran before, and waits until it is ready. */
  async start() {
    const child = spawn(gatewayBin(), this.#command, {
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        PATH: process.env.PATH,
        HOST: "127.0.0.1",
        PORT: String(this.#port),
        AMQP_URL: amqpUrl,
        AMQP_EXCHANGE: this.names.exchange,
        AMQP_INBOUND_QUEUE: this.names.inboundQueue,
        AMQP_STATUS_QUEUE: this.names.statusQueue,
        AMQP_DEAD_LETTER_QUEUE: this.names.deadLetterQueue,
        AMQP_JOURNAL_STREAM: this.names.journalStream,
        JWT_SECRET: this.jwtSecret,
        INTERNAL_API_KEYS: this.apiKey,
        LOG_FORMAT: "json",
        RUST_LOG: "info,agent_gateway=debug",
        ...this.#env,
      },
    });
    // The log is complete when its reader has ended, which may be after the process.
    const lines = createInterface({ input: child.stderr });
    const running = this.#log.length;
    lines.on("line", (line) => {
      this.#log.push(line);
      if (this.#secrets.some((secret) => line.includes(secret))) this.#leaks.add(source(line));
    });
    child.stdout.on("data", (text) => (this.#printed += text));
    this.#process = child;
    this.#ended = Promise.all([once(child, "exit"), once(lines, "close")]).then(([[code, signal]]) => ({ code, signal }));
    process.once("exit", this.#kill);

    const listening = await until("the gateway listens", () => {
      assert.equal(child.exitCode ?? child.signalCode, null, `the gateway has ended:\n${this.#log.join("\n")}`);
      return this.#log.slice(running).map(readFields).find(({ message }) => message === "listening");
    });
    this.#port = Number(new URL(`http://${listening.address}`).port);
    await until("the gateway is ready", async () => {
      const answer = await fetch(`${this.url}/readyz`);
      return answer.status === 200 && (await answer.json()).status === "ready";
    });
  }

  /** Ends it as a supervisor does, and sees to it that it ends well. */
  async stop() {
    const child = this.#process;
    if (!child) return;
    child.kill("SIGTERM");
    const { code, signal } = await this.#ended;
    this.#process = undefined;
    process.off("exit", this.#kill);
    assert.deepEqual({ code, signal }, { code: 0, signal: null }, "the gateway ends with 0 on SIGTERM");
    assert.deepEqual([...this.#leaks], [], "no line of the log holds a secret");
  }

  /** Ends it and starts it on the same port with these variables as well. */
  async restart(env) {
    await this.stop();
    this.#env = { ...this.#env, ...env };
    await this.start();
  }

  /** Stops it and removes what it declared at the broker. */
  async remove() {
    try {
      await this.stop();
    } finally {
      this.#kill();
      await this.#ended;
      await this.#broker.remove(this.names);
    }
  }

  #kill = () => this.#process?.kill("SIGKILL");

  /** A token for an agent of the tenant; `claims` replaces what a claim would be, undefined leaves it out. */
  token(tenantId, claims = {}) {
    return this.keepSecret(
      sign({ sub: "agent-7", name: "Ada Agent", tenantId, exp: now() + 3600, ...claims }, this.jwtSecret),
    );
  }

  /** Remembers a text that must never be found in the log. */
  keepSecret(text) {
    this.#secrets.push(text);
    return text;
  }

  /** Publishes through RabbitMQ; `body` lacks the ids of `place`. */
  async publish(place, kind, body) {
    await this.#broker.publish(this.names, kind, { ...place, ...body });
  }

  /** Publishes many, as fast as the broker takes them. */
  async publishAll(place, kind, bodies) {
    const published = [];
    for (const [index, body] of bodies.entries()) {
      published.push(this.publish(place, kind, body));
      // Clients in this process must have their turns: a gateway hangs up on those that say nothing for seconds.
      if (index % SLICE === SLICE - 1) await setImmediate();
    }
    await Promise.all(published);
  }

  /** Emits through the HTTP relay. */
  async emit(place, event, payload) {
    const response = await fetch(`${this.url}/internal/emit`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-internal-api-key": this.apiKey },
      body: JSON.stringify({ ...place, event, payload }),
    });
    const answer = await response.json();
    assert.equal(response.status, 200, JSON.stringify(answer));
    return answer;
  }

  /** The lines since the last call. */
  takeLog() {
    return this.#log.splice(0);
  }
}

/** So many lines of a log tell what went wrong. */
const SHOWN_LINES = 300;

/** Shows what the gateways have logged during a test that failed. To be called once in a file of tests. */
export function showLogsOfFailures() {
  afterEach((t) => {
    for (const gateway of gateways) {
      const log = gateway.takeLog();
      if (t.passed === false && log.length > 0) {
        const shown = log.slice(-SHOWN_LINES).join("\n");
        process.stderr.write(`the gateway on port ${gateway.port} during "${t.name}":\n${shown}\n`);
      }
    }
  });
}

/** Which part of the program has logged a line, and at which level. */
function source(line) {
  const { target, level } = readFields(line);
  return `${target} at ${level}`;
}

function readFields(line) {
  try {
    return JSON.parse(line);
  } catch {
    return {};
  }
}
