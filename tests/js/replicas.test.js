/**
 * The example for replicas, with TLS and HTTP/2, in front of three gateways: where sessions go, and that they stay there.
 * Each gateway has queues of its own here, with the same in them, so that a client gets each event at whichever it is; that
 * replicas share what they know is no matter of the proxy.
 */
import assert from "node:assert/strict";
import { request } from "node:https";
import { describe, test } from "node:test";
import { Agent, IMPATIENT, NAMESPACES } from "./harness/Agent.js";
import { Gateway } from "./harness/Gateway.js";
import { example, Nginx } from "./harness/Nginx.js";
import { address, inbound, newPlace } from "./harness/place.js";
import { stage } from "./harness/stage.js";

const NAME = "nginx-replicas.conf";

const { configuration, variables } = await example(NAME);
const { broker, browser } = await stage();

/** Both servers of the example, by the names that they have in it, and the path that the replicas are below. */
const SERVERS = {
  "a host name of their own": { name: "gateway.example.com", prefix: "" },
  "a path of the portal": { name: "portal.example.com", prefix: "/realtime" },
};

for (const [where, server] of Object.entries(SERVERS)) {
  describe(`The example deploy/${NAME}, under ${where}`, () => {
    test("sessions that poll stay at their replica, and each replica has some", async (t) => {
      const { replicas, enter } = await behind(t, server);
      const agents = await Promise.all(Array.from({ length: 24 }, () => enter({ transports: ["polling"] })));
      await eachGetsOne(agents, replicas);
      for (const { agent } of agents) assert.equal(agent.transport, "polling");
      const spread = await membersAt(replicas, agents);
      // Addresses of conversations are made by chance: that all fall to one is one chance in 10^11.
      assert.ok(spread.filter((members) => members > 0).length > 1, `${spread}`);
    });

    test("a session that begins with polling is upgraded at its replica", async (t) => {
      const { replicas, enter } = await behind(t, server);
      const agents = await Promise.all(Array.from({ length: 6 }, () => enter({})));
      await Promise.all(agents.map(({ agent }) => agent.until("the upgrade", () => agent.transport === "websocket")));
      await eachGetsOne(agents, replicas);
    });

    test("a session that begins with a WebSocket goes where the fewest are", async (t) => {
      const { replicas, enter } = await behind(t, server);
      const agents = [];
      for (let number = 0; number < 6; number += 1) agents.push(await enter({ transports: ["websocket"] }));
      await eachGetsOne(agents, replicas);
      assert.deepEqual(await membersAt(replicas, agents), [2, 2, 2]);
    });

    for (const transports of [["websocket"], ["polling"]]) {
      test(`whoever's replica ends is soon at another, over ${transports}`, async (t) => {
        const { replicas, enter } = await behind(t, server);
        const { agent, place } = await enter({ ...IMPATIENT, transports });
        agent.insists(t);
        const [there] = await replicasOf(replicas, place);
        await there.stop();
        await agent.joined(2);
        const remaining = replicas.filter((replica) => replica !== there);
        assert.equal((await replicasOf(remaining, place)).length, 1);
        await Promise.all(remaining.map((replica) => replica.publish(place, "inbound_message", inbound("after", "Still here"))));
        await agent.receives(1);
        assert.deepEqual(agent.texts, ["Still here"]);
      });
    }

    test("replicas that have gone and come back take as many clients at once as come", async (t) => {
      const { replicas, enter } = await behind(t, server);
      const websocket = { transports: ["websocket"] };
      const come = (length) => Promise.all(Array.from({ length }, () => enter(websocket)));
      await come(3);
      for (const replica of replicas) {
        await replica.stop();
        // Nobody is there any more, so that some of these are led there first.
        await come(4);
        await replica.start();
      }
      const agents = await come(12);
      for (const { agent } of agents) assert.deepEqual([agent.connects, agent.departures, agent.refusals], [1, [], []]);
    });

    test("the widget is live, over HTTP/2 and one WebSocket", async (t) => {
      const { replicas, base, token } = await behind(t, server);
      const place = newPlace();
      const page = await browser.open(t, "about:blank", { ignoreHTTPSErrors: true });
      const sockets = [];
      page.page.on("websocket", (socket) => sockets.push(socket.url()));
      await page.page.goto(address({ url: base }, place, token(place)));
      await page.live();
      await Promise.all(replicas.map((replica) => replica.publish(place, "inbound_message", inbound("hello", "Hello, replicas"))));
      assert.equal(await page.text("hello"), "Hello, replicas");
      const protocols = await page.page.evaluate(() => performance.getEntries().map(({ nextHopProtocol }) => nextHopProtocol));
      assert.ok(protocols.includes("h2"), `HTTP/2 among ${protocols}`);
      assert.equal(sockets.length, 1);
      assert.ok(sockets[0].startsWith(`${base.replace("https", "wss")}/socket.io/`), sockets[0]);
      assert.deepEqual(page.problems(), []);
    });

    test("a page of another origin is refused, whatever it says of itself", async (t) => {
      const { base } = await behind(t, server);
      const handshake = `${base}/socket.io/?EIO=4&transport=polling`;
      const foreign = { origin: "https://evil.example" };
      assert.equal(await status(handshake, { origin: new URL(base).origin }), 200);
      assert.equal(await status(handshake, foreign), 403);
      assert.equal(await status(handshake, { ...foreign, "x-forwarded-host": "evil.example" }), 403);
      assert.equal(await status(handshake, { ...foreign, forwarded: "host=evil.example" }), 403);
    });
  });
}

/** Three gateways that take the same tokens behind nginx, and how an agent enters a conversation of its own. */
async function behind(t, { name, prefix }) {
  const nginx = await Nginx.prepare(t);
  const first = new Gateway(broker);
  const env = { ...variables, JWT_SECRET: first.jwtSecret };
  const replicas = await Promise.all([1, 2, 3].map(() => Gateway.start(t, broker, env)));
  const here = configuration.replace(`server_name ${name};`, "server_name 127.0.0.1;");
  assert.notEqual(here, configuration, `${name} is in it`);
  await nginx.startExample({ configuration: here }, ...replicas.map(({ port }) => port));
  const base = nginx.tlsUrl + prefix;
  const token = ({ tenantId }) => first.token(tenantId);
  const enter = async (options) => {
    const place = newPlace();
    const connect = NAMESPACES["the root namespace with ids in the query"];
    const all = { path: `${prefix}/socket.io`, rejectUnauthorized: false, ...options };
    const agent = new Agent(t, connect(nginx.tlsUrl, place, { token: token(place) }, all));
    await agent.joined();
    return { agent, place };
  };
  return { replicas, base, token, enter };
}

/** What is published reaches each once, on the connection that it had from the beginning. */
async function eachGetsOne(agents, replicas) {
  await Promise.all(
    agents.flatMap(({ place }) => replicas.map((replica) => replica.publish(place, "inbound_message", inbound("hello", "Hello")))),
  );
  await Promise.all(agents.map(({ agent }) => agent.receives(1)));
  for (const { agent } of agents) {
    assert.deepEqual(agent.texts, ["Hello"]);
    assert.deepEqual([agent.connects, agent.departures, agent.refusals], [1, [], []]);
  }
}

/** How many of the agents each replica has. */
async function membersAt(replicas, agents) {
  const at = await Promise.all(agents.map(({ place }) => replicasOf(replicas, place)));
  return replicas.map((replica) => at.flat().filter((there) => there === replica).length);
}

/** At which of the replicas a conversation has members. */
async function replicasOf(replicas, { tenantId, conversationId }) {
  const followed = await Promise.all(
    replicas.map(async ({ url, apiKey }) => {
      const headers = { "x-internal-api-key": apiKey };
      const answer = await fetch(`${url}/internal/conversations/${tenantId}/${conversationId}`, { headers });
      return (await answer.json()).members.length > 0;
    }),
  );
  return replicas.filter((_, index) => followed[index]);
}

/** The status of the answer to a GET with these headers, which fetch would not send. */
async function status(url, headers) {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers, rejectUnauthorized: false }, (answer) => {
      answer.resume();
      resolve(answer.statusCode);
    });
    sent.on("error", reject).end();
  });
}
