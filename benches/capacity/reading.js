/**
 * What it costs a replica to read the stream when it has no members, for docs/capacity.md:
 * `make benches/peer/node_modules/.package-lock.json && node benches/capacity/reading.js target/release/agent-gateway 1000`.
 * Two replicas run, of which one takes the deliveries in; messages are published by the clock, so many a second, into 500
 * conversations; the CPU of both over a minute is that of /proc/PID/stat, after five seconds of the same. Then a third starts,
 * and reads all of it. AMQP_URL says where the broker is; everything that is declared there is removed.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";

const amqp = createRequire(new URL("../peer/package.json", import.meta.url))("amqplib");

const [program, rate, seconds = 60] = [process.argv[2], Number(process.argv[3]), Number(process.argv[4] ?? 60)];
const WARM_SECONDS = 5;
const CONVERSATIONS = 500;
const TEXT = "x".repeat(120);
const KEY = "y".repeat(40);

const run = Math.random().toString(36).slice(2, 8);
const QUEUES = ["AMQP_INBOUND_QUEUE", "AMQP_STATUS_QUEUE", "AMQP_DEAD_LETTER_QUEUE", "AMQP_JOURNAL_STREAM"];
const names = Object.fromEntries(["AMQP_EXCHANGE", ...QUEUES].map((variable) => [variable, `test.reading-${run}.${variable.toLowerCase()}`]));
const url = process.env.AMQP_URL ?? "amqp://guest:guest@127.0.0.1:5672/%2f";

/** Clock ticks in a second, as /proc counts them on Linux. */
const TICKS = 100;

/** Starts a replica, and waits until it has read the journal. */
async function start() {
  const env = { PATH: process.env.PATH, HOST: "127.0.0.1", PORT: "0", JOURNAL: "stream", LOG_FORMAT: "json", ...names };
  const secrets = { AMQP_URL: url, JWT_SECRET: "x".repeat(40), INTERNAL_API_KEYS: KEY };
  const child = spawn(program, ["serve"], { env: { ...env, ...secrets }, stdio: ["ignore", "ignore", "pipe"] });
  let address;
  const read = new Promise((resolve, reject) => {
    createInterface({ input: child.stderr }).on("line", (line) => {
      const fields = JSON.parse(line);
      address ??= fields.address;
      if (fields.message === "the journal has been read") resolve(fields);
    });
    child.once("exit", (code) => reject(new Error(`the gateway has ended with ${code}`)));
  });
  const { records, seconds } = await read;
  return { child, address, records, seconds };
}

/** CPU seconds of a process with all its threads. */
function cpu({ child }) {
  const fields = readFileSync(`/proc/${child.pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) / TICKS;
}

/** How many records a replica has read, and the CPU that it has had. */
async function reading(replica) {
  const answer = await fetch(`http://${replica.address}/metrics`, { headers: { "x-internal-api-key": KEY } });
  const counts = (await answer.text()).matchAll(/^agent_gateway_journal_records_total\{.*\} (\d+)/gm);
  const records = [...counts].reduce((sum, [, count]) => sum + Number(count), 0);
  return { records, cpu: cpu(replica) };
}

const connection = await amqp.connect(url);
const channel = await connection.createChannel();
const replicas = [];
try {
  replicas.push(await start(), await start());
  // Both are there, and one of them consumes.
  await sleep(3000);
  const began = performance.now();
  let [sent, before] = [0, undefined];
  for (;;) {
    const elapsed = (performance.now() - began) / 1000;
    for (; sent < elapsed * rate; sent += 1) {
      const body = { tenantId: "acme", conversationId: `c-${sent % CONVERSATIONS}`, messageId: `m-${sent}`, text: TEXT };
      channel.publish(names.AMQP_EXCHANGE, "inbound_message", Buffer.from(JSON.stringify(body)), { persistent: true });
    }
    if (!before && elapsed >= WARM_SECONDS) before = { elapsed, readings: await Promise.all(replicas.map(reading)) };
    if (before && elapsed - before.elapsed >= seconds) {
      const time = elapsed - before.elapsed;
      const after = await Promise.all(replicas.map(reading));
      const costs = after.map(({ records, cpu }, index) => {
        const [read, spent] = [records - before.readings[index].records, cpu - before.readings[index].cpu];
        return { read, each: (spent / read) * 1e6, share: (spent / time) * 100 };
      });
      costs.sort((one, other) => one.share - other.share);
      for (const [index, role] of ["reads", "reads, takes in and appends"].entries()) {
        const { read, each, share } = costs[index];
        console.log(`${read} records in ${time.toFixed(1)} s by the replica that ${role}: ${each.toFixed(1)} µs each, ${share.toFixed(1)} % of a core`);
      }
      break;
    }
    await sleep(2);
  }
  // What is still on its way.
  await sleep(3000);
  const third = await start();
  replicas.push(third);
  const { records, seconds: took } = third;
  const each = (cpu(third) / records) * 1e6;
  console.log(`a start reads ${records} records in ${took.toFixed(1)} s, ${each.toFixed(1)} µs of CPU each`);
} finally {
  for (const { child } of replicas) {
    child.removeAllListeners("exit");
    child.kill("SIGTERM");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  }
  for (const variable of QUEUES) await channel.deleteQueue(names[variable]);
  await channel.deleteExchange(names.AMQP_EXCHANGE);
  await connection.close();
}
