/** The playground of `agent-gateway dev --replicas`: three gateways behind nginx, of which one is killed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { nginx } from "./harness/environment.js";
import { Gateway } from "./harness/Gateway.js";
import { AGENTS, Playground } from "./harness/Playground.js";
import { stage } from "./harness/stage.js";
import { until } from "./harness/until.js";

const { broker, gateway, browser } = await stage({ command: ["dev", "--replicas"], variables: { NGINX: nginx() } });

const NAMES = { ada: "Ada", grace: "Grace" };

test("whoever's replica is killed goes on at another, with nothing missing, and the other agent notices nothing", async (t) => {
  await until("the link is printed", () => gateway.printed.includes(`${gateway.url}/playground\n`));
  const playground = await Playground.open(t, browser, gateway);
  const { page } = playground;
  const places = await until("both are somewhere", async () => {
    const found = await Promise.all(AGENTS.map((agent) => placeOf(page, agent)));
    return found.every(Boolean) && found;
  });
  const [victim, other] = places;
  assert.notEqual(victim, other, "nginx leads each to where the fewest are");
  const sent = [await playground.press("customer-random", "inbound_message confirmed")];
  await playground.both((agent) => playground.message(agent, sent[0]).waitFor());

  await playground.press(`kill-${victim}`, `replica ${victim} killed: Ada`);
  for (let number = 0; number < 5; number += 1) {
    sent.push(await playground.press("customer-random", "inbound_message confirmed"));
    sent.push(await playground.press("agent-random", "outbound_message taken"));
  }
  await page.locator(`[data-testid="replica-${victim}"][data-state="away"]`).waitFor();
  await playground.noted("Ada is at replica");
  await until("Ada is at another", async () => ![undefined, victim].includes(await placeOf(page, "ada")));
  await playground.both((agent) => playground.live(agent));
  const order = {};
  await playground.both(async (agent) => {
    await Promise.all(sent.map((id) => playground.message(agent, id).waitFor()));
    const shown = await playground.part(agent, "message").evaluateAll((rows) => rows.map(({ dataset }) => dataset.messageId));
    order[agent] = shown.filter((id) => sent.includes(id));
    assert.deepEqual([...order[agent]].sort(), [...sent].sort(), `${NAMES[agent]} sees each once`);
    assert.equal(await playground.part(agent, "reset-notice").count(), 0, `${NAMES[agent]} misses nothing`);
  });
  assert.deepEqual(order.ada, order.grace);
  const moves = page.getByTestId("log").locator("p", { hasText: "Grace is at replica" });
  assert.equal(await moves.count(), 1, "Grace stays where she is");
  await playground.noted(`replica ${victim} is back`);
  const back = await page.getByTestId(`kill-${victim}`).getAttribute("aria-disabled");
  assert.equal(back, "false", "it can be killed again");
  assert.deepEqual(playground.problems({ outage: true }), []);
});

test("what is no replica cannot be killed, and no other page kills one", async () => {
  const kill = async (replica, headers = {}) => {
    const body = JSON.stringify({ replica });
    const all = { "content-type": "application/json", ...headers };
    return (await fetch(`${gateway.url}/playground/replicas/kill`, { method: "POST", headers: all, body })).status;
  };
  assert.equal(await kill(4), 422);
  assert.equal(await kill("1"), 422);
  assert.equal(await kill(1, { origin: "http://evil.example" }), 403);
  const { replicas } = await (await fetch(`${gateway.url}/playground/replicas`)).json();
  assert.deepEqual(replicas.map(({ number, state }) => [number, state]), [1, 2, 3].map((number) => [number, "ready"]));
});

test("without names in the environment it has its own, and leaves nothing at the broker", async (t) => {
  const names = ["EXCHANGE", "INBOUND_QUEUE", "STATUS_QUEUE", "DEAD_LETTER_QUEUE", "JOURNAL_STREAM"];
  const unset = Object.fromEntries(names.map((name) => [`AMQP_${name}`, ""]));
  const own = await Gateway.start(t, broker, { NGINX: nginx(), ...unset }, ["dev", "--replicas"]);
  const exchange = await until("the exchange is printed", () => /the exchange (\S+)\.events/.exec(own.printed)?.[1]);
  const queues = ["inbound_message", "status_update", "dead_letters", "journal"].map((name) => `${exchange}.${name}`);
  const there = () => Promise.all(queues.map((queue) => broker.has(queue)));
  assert.deepEqual(await there(), [true, true, true, true]);
  await own.stop();
  assert.deepEqual(await there(), [false, false, false, false]);
});

/** The number of the replica that an agent is at, as the page shows it. */
async function placeOf(page, agent) {
  const place = page.locator(`[data-testid^="replica-"][data-agents~="${agent}"]`);
  if ((await place.count()) !== 1) return undefined;
  return (await place.getAttribute("data-testid")).replace("replica-", "");
}
