/** The gateway as the official Socket.IO client meets it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { after, before, describe, test } from "node:test";
import { Manager } from "socket.io-client";
import { Agent, DOORS, IMPATIENT, TRANSPORTS, UNAVAILABLE, namespaceOf } from "./harness/Agent.js";
import { Broker } from "./harness/Broker.js";
import { Gateway, showLogsOfFailures } from "./harness/Gateway.js";
import { Proxy } from "./harness/Proxy.js";
import { now, sign, unsigned } from "./harness/jwt.js";
import { unique } from "./harness/unique.js";

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** Seconds by which a token outlives its `exp` when nothing else is configured. */
const LEEWAY_SECONDS = 5;

const broker = await Broker.connect();
const gateway = new Gateway(broker);
showLogsOfFailures();
before(() => gateway.start());
after(async () => {
  await gateway.remove();
  await broker.close();
});

for (const [carriage, transports] of Object.entries(TRANSPORTS)) {
  describe(`Over ${carriage}`, () => {
    /** Opens a door to `place` of the shared gateway. */
    function enter(t, door, place, { auth, at = gateway } = {}) {
      const token = gateway.token(place.tenantId);
      return new Agent(t, DOORS[door](at.url, place, auth ?? { token }, { ...IMPATIENT, transports }));
    }

    for (const door of Object.keys(DOORS)) {
      test(`by ${door}, joined comes first, then what has happened, then what happens`, async (t) => {
        const place = newPlace();
        const exp = now() + 1800;
        const token = gateway.token(place.tenantId, { sub: "agent-42", name: "Zoë Öz", exp });

        const witness = enter(t, door, place, { auth: { token } });
        const { cursor, expiresAt, ...joined } = await witness.joined();
        assert.deepEqual(joined, {
          ...place,
          resume: "fresh",
          replaying: 0,
          agent: { id: "agent-42", name: "Zoë Öz" },
        });
        assertCursor(cursor);
        assert.match(expiresAt, RFC_3339);
        assert.equal(Date.parse(expiresAt), (exp + LEEWAY_SECONDS) * 1000);

        const happened = await happen(place, witness);
        assert.deepEqual(witness.told.map(([name]) => name), ["joined", ...happened.map(([name]) => name)]);
        assertEvents(witness.events, happened);

        const newcomer = enter(t, door, place, { auth: { token: gateway.token(place.tenantId, { name: undefined }) } });
        const later = await newcomer.joined();
        assert.deepEqual(later.agent, { id: "agent-7" }, "a token without a name");
        assert.equal(later.resume, "fresh");
        assert.equal(later.replaying, happened.length);
        assertCursor(later.cursor);
        await newcomer.receives(happened.length);
        assert.equal(newcomer.told[0][0], "joined");
        assert.deepEqual(
          newcomer.events,
          witness.events.map(([name, payload, meta]) => [name, payload, { ...meta, replayed: true }]),
        );

        await gateway.publish(place, "inbound_message", inbound("and now"));
        await Promise.all([newcomer.receives(5), witness.receives(5)]);
        assert.deepEqual(newcomer.events[4], witness.events[4], "what happens is the same for everyone");
        assertEvents([newcomer.events[4]], [["inbound_message", { ...inbound("and now") }]]);
      });

      test(`by ${door}, a connect is refused in the order token there, token valid, ids, grant`, async (t) => {
        const place = newPlace();
        const alien = newPlace();
        const { tenantId, conversationId } = place;
        const good = { sub: "agent-7", tenantId, exp: now() + 3600 };
        const malformed = { tenantId, conversationId: "no*id" };
        const alienMalformed = { tenantId: alien.tenantId, conversationId: "no*id" };
        const tooLong = { tenantId, conversationId: "c".repeat(129) };
        const expired = { token: gateway.token(tenantId, { exp: now() - 600 }) };
        const narrow = { token: gateway.token(tenantId, { conversations: ["other"] }) };
        const cases = [
          ["Authentication required", "no token", {}, place],
          ["Authentication required", "an empty token", { token: "" }, place],
          ["Authentication required", "a token that is null", { token: null }, place],
          ["Authentication required", "no token and a malformed id", {}, malformed],
          ["Invalid token", "garbage", { token: "garbage" }, place],
          ["Invalid token", "a number", { token: 7 }, place],
          ["Invalid token", "another secret", { token: sign(good, "another secret of 32 bytes or more") }, place],
          ["Invalid token", "no signature", { token: unsigned(good) }, place],
          ["Invalid token", "no sub", { token: gateway.token(tenantId, { sub: undefined }) }, place],
          ["Invalid token", "no exp", { token: gateway.token(tenantId, { exp: undefined }) }, place],
          ["Invalid token", "no tenant", { token: gateway.token(undefined) }, place],
          ["Invalid token", "not valid yet", { token: gateway.token(tenantId, { nbf: now() + 600 }) }, place],
          ["Invalid token", "garbage and a malformed id", { token: "garbage" }, malformed],
          ["Token expired", "expired", expired, place],
          ["Token expired", "expired, malformed, alien", expired, alienMalformed],
          ["Invalid conversation", "a malformed id", { token: gateway.token(tenantId) }, malformed],
          ["Invalid conversation", "too long an id", { token: gateway.token(tenantId) }, tooLong],
          ["Invalid conversation", "a malformed id of an alien", { token: gateway.token(tenantId) }, alienMalformed],
          ["Forbidden", "another tenant", { token: gateway.token(tenantId) }, alien],
          ["Forbidden", "another conversation", narrow, place],
          ["Forbidden", "no conversation", { token: gateway.token(tenantId, { conversations: [] }) }, place],
        ];
        await Promise.all(
          cases.map(async ([refusal, why, auth, where]) => {
            const agent = enter(t, door, where, { auth });
            assert.equal(await agent.refused(), refusal, why);
            assert.equal(agent.socket.active, false, "a refused client does not come back by itself");
            assert.deepEqual(agent.told, [], why);
          }),
        );
        for (const conversations of [[conversationId], ["other", conversationId], "*"]) {
          const agent = enter(t, door, place, { auth: { token: gateway.token(tenantId, { conversations }) } });
          await agent.joined();
          assert.deepEqual(agent.refusals, [], `the grant ${JSON.stringify(conversations)}`);
        }
      });

      test(`by ${door}, a client that comes back with its cursor gets exactly what it has missed`, async (t) => {
        const place = newPlace();
        const token = gateway.token(place.tenantId);
        const witness = enter(t, door, place);
        await witness.joined();
        await tell(place, witness, "one", "two");

        const first = enter(t, door, place);
        await first.receives(2);
        await tell(place, first, "three");
        first.close();
        await tell(place, witness, "four", "five");

        const second = enter(t, door, place, { auth: { token, cursor: first.cursor } });
        const { resume, replaying } = await second.joined();
        assert.deepEqual({ resume, replaying }, { resume: "resumed", replaying: 2 });
        await second.receives(2);
        await tell(place, second, "six");
        assert.deepEqual(second.texts, ["four", "five", "six"]);
        assert.deepEqual(second.events.map(([, , { replayed }]) => replayed), [true, true, undefined]);

        // Nothing is missing: from the last event, and from a join's own cursor.
        for (const cursor of [second.cursor, await freshCursor(t, door, place)]) {
          const third = enter(t, door, place, { auth: { token, cursor } });
          const { resume, replaying } = await third.joined();
          assert.deepEqual({ resume, replaying }, { resume: "resumed", replaying: 0 });
        }
      });
    }

    async function freshCursor(t, door, place) {
      const agent = enter(t, door, place);
      const { cursor } = await agent.joined();
      return cursor;
    }

    test("the root namespace needs both ids, and believes auth rather than the query", async (t) => {
      const place = newPlace();
      const token = gateway.token(place.tenantId);
      const { tenantId, conversationId } = place;
      for (const half of [{}, { tenantId }, { conversationId }]) {
        const agent = enter(t, "the root namespace with ids in auth", half, { auth: { token } });
        assert.equal(await agent.refused(), "Invalid conversation", JSON.stringify(half));
      }
      const query = { tenantId: "elsewhere", conversationId: "else" };
      const auth = { token, ...place };
      const agent = enter(t, "the root namespace with ids in the query", query, { auth });
      const joined = await agent.joined();
      assert.deepEqual([joined.tenantId, joined.conversationId], [tenantId, conversationId]);
    });

    test("a namespace that is no conversation's is refused with Invalid namespace", async (t) => {
      const place = newPlace();
      const token = gateway.token(place.tenantId);
      const door = namespaceOf(place);
      for (const auth of [{}, { token }]) {
        const manager = new Manager(gateway.url, { ...IMPATIENT, transports });
        const known = new Agent(t, manager.socket(door, { auth: { token } }));
        await known.joined();
        for (const namespace of ["/chat", "/tenant", "/tenant/t", "/tenant/t/conv", `${door}/more`, `/x${door}`]) {
          const agent = new Agent(t, manager.socket(namespace, { auth }));
          assert.equal(await agent.refused(), "Invalid namespace", namespace);
        }
        await tell(place, known, `still here, ${auth.token ? "with" : "without"} a token`);
      }
    });

    test("a conversation's events reach its own members only, however alike the names are", async (t) => {
      const tag = unique("x");
      const places = [
        ["a:b", "c"],
        ["a", "b:c"],
        ["a.b", "c"],
        ["a", "b.c"],
        ["a-b", "c"],
        ["a", "b-c"],
        ["ab", "c"],
        ["a", "bc"],
        ["A", "bc"],
        ["a", "bC"],
        ["bc", "a"],
        ["a@b", "c+d"],
        ["a", "b@c+d"],
        ["a=", "~c"],
        ["a", "=~c"],
        ["tenant", "conv"],
        ["conv", "tenant"],
        ["..", "."],
        [".", ".."],
      ].map(([tenant, conversation]) => ({ tenantId: `${tenant}${tag}`, conversationId: `${conversation}${tag}` }));
      // Names without anything in common with the above, but the other half of the pair.
      places.push({ tenantId: places[0].tenantId, conversationId: unique("c") });
      places.push({ tenantId: unique("t"), conversationId: places[0].conversationId });

      const doors = Object.keys(DOORS);
      const members = places.map((place, i) => ({ place, agent: enter(t, doors[i % doors.length], place) }));
      await Promise.all(members.map(({ agent }) => agent.joined()));
      const name = ({ tenantId, conversationId }) => `${tenantId} / ${conversationId}`;
      for (const { place } of members) {
        await gateway.publish(place, "inbound_message", inbound(`to ${name(place)}`));
        await gateway.emit(place, "outbound_message", { messageId: unique("m"), text: `from ${name(place)}` });
      }
      await Promise.all(members.map(({ agent }) => agent.receives(2)));
      // Each has its own by now, so that whatever went astray is before the marker.
      for (const { place } of members) await gateway.publish(place, "inbound_message", inbound("marker"));
      await Promise.all(members.map(({ agent }) => agent.until("the marker", () => agent.texts.includes("marker"))));
      for (const { place, agent } of members) {
        assert.deepEqual([...agent.texts].sort(), [`from ${name(place)}`, "marker", `to ${name(place)}`], name(place));
      }
    });

    test("a cursor that is none of this conversation's is answered with reset and the window", async (t) => {
      const [place, other] = [newPlace(), newPlace()];
      const twin = { tenantId: place.tenantId, conversationId: other.conversationId };
      const door = "the namespace of the conversation";
      const [witness, stranger, neighbour] = [place, other, twin].map((where) => enter(t, door, where));
      await Promise.all([witness, stranger, neighbour].map((agent) => agent.joined()));
      await tell(place, witness, "one", "two");
      await tell(other, stranger, "elsewhere");
      await tell(twin, neighbour, "next door");

      const garbage = ["", "garbage", "A".repeat(32), "A".repeat(128), "☃", 7, {}, true];
      for (const cursor of [...garbage, stranger.cursor, neighbour.cursor]) {
        const agent = enter(t, door, place, { auth: { token: gateway.token(place.tenantId), cursor } });
        const { resume, replaying } = await agent.joined();
        assert.deepEqual({ resume, replaying }, { resume: "reset", replaying: 2 }, JSON.stringify(cursor));
        await agent.receives(2);
        assert.deepEqual(agent.texts, ["one", "two"]);
        assert.ok(agent.events.every(([, , { replayed }]) => replayed === true));
      }
    });

    test("replay: false spares a first join the window, and a cursor matters more", async (t) => {
      const place = newPlace();
      const token = gateway.token(place.tenantId);
      const door = "the namespace of the conversation";
      const witness = enter(t, door, place);
      await witness.joined();
      await tell(place, witness, "one", "two");

      const fresh = enter(t, door, place, { auth: { token, replay: false } });
      const { resume, replaying, cursor } = await fresh.joined();
      assert.deepEqual({ resume, replaying }, { resume: "fresh", replaying: 0 });
      await tell(place, fresh, "three");
      assert.deepEqual(fresh.texts, ["three"]);

      for (const replay of [true, false]) {
        const resumed = enter(t, door, place, { auth: { token, cursor, replay } });
        assert.equal((await resumed.joined()).resume, "resumed");
        await resumed.receives(1);
        assert.deepEqual(resumed.texts, ["three"]);
      }
    });

    test("several conversations share a connection, and leaving one keeps the others", async (t) => {
      const tenantId = unique("t");
      const names = ["left", "kept", "rooted"];
      const [left, kept, rooted] = names.map((name) => ({ tenantId, conversationId: unique(name) }));
      const token = gateway.token(tenantId);
      const manager = new Manager(gateway.url, { ...IMPATIENT, transports, query: rooted });
      const join = (namespace, auth = { token }) => new Agent(t, manager.socket(namespace, { auth }));
      const leaver = join(namespaceOf(left));
      const stayer = join(namespaceOf(kept));
      const root = join("/");
      const intruder = join(namespaceOf({ tenantId: unique("t"), conversationId: "c" }));
      await Promise.all([leaver, stayer, root].map((agent) => agent.joined()));
      assert.equal(await intruder.refused(), "Forbidden");
      const connection = manager.engine.id;

      await tell(left, leaver, "to left 1");
      await tell(kept, stayer, "to kept 1");
      await tell(rooted, root, "to root 1");
      leaver.close();
      // Answered on the same connection, so that the gateway knows of the departure.
      const probe = join(namespaceOf({ tenantId, conversationId: unique("probe") }));
      await probe.joined();
      const witness = enter(t, "the namespace of the conversation", left);
      await witness.receives(1);
      await tell(left, witness, "to left 2");
      await tell(kept, stayer, "to kept 2");
      await tell(rooted, root, "to root 2");

      assert.deepEqual(leaver.texts, ["to left 1"]);
      assert.deepEqual(stayer.texts, ["to kept 1", "to kept 2"]);
      assert.deepEqual(root.texts, ["to root 1", "to root 2"]);

      leaver.socket.auth = { token, cursor: leaver.cursor };
      leaver.socket.connect();
      assert.equal((await leaver.joined(2)).resume, "resumed");
      await leaver.receives(2);
      assert.deepEqual(leaver.texts, ["to left 1", "to left 2"]);
      assert.equal(manager.engine.id, connection, "all of it went over one connection");
      assert.deepEqual([stayer.departures, root.departures], [[], []]);
    });

    test("whatever a client sends is ignored, and disturbs nobody", async (t) => {
      const place = newPlace();
      const door = "the namespace of the conversation";
      const [noisy, quiet] = [enter(t, door, place), enter(t, door, place)];
      await Promise.all([noisy.joined(), quiet.joined()]);
      const { id } = noisy.socket;

      noisy.socket.emit("hello", { any: "thing" });
      noisy.socket.emit("inbound_message", inbound("forged"), { cursor: "forged" });
      noisy.socket.emit("joined", {});
      noisy.socket.emit("question", () => assert.fail("nobody answers"));
      noisy.socket.emit("blob", Buffer.alloc(1000, 7), { nested: new Uint8Array(10) });
      noisy.socket.emit("", null, [], "ünï", 1e300);
      noisy.socket.emit("large", "x".repeat(30_000));
      // A second CONNECT to the namespace, word for word.
      const auth = JSON.stringify({ token: gateway.token(place.tenantId), cursor: noisy.cursor });
      noisy.socket.io.engine.write(`0${namespaceOf(place)},${auth}`);
      // The gateway reads a connection in order: once this is answered, it has read all of the above.
      const elsewhere = namespaceOf({ ...place, conversationId: unique("probe") });
      const probe = new Agent(t, noisy.socket.io.socket(elsewhere, { auth: noisy.socket.auth }));
      await probe.joined();

      await tell(place, noisy, "one", "two");
      await quiet.receives(2);
      for (const agent of [noisy, quiet]) {
        assert.deepEqual(agent.texts, ["one", "two"]);
        assert.equal(agent.joins.length, 1);
        assert.equal(agent.connects, 1);
        assert.deepEqual(agent.departures, []);
      }
      assert.equal(noisy.socket.id, id);
    });

    test("a client whose network is cut comes back by itself and has everything once", async (t) => {
      const place = newPlace();
      const token = gateway.token(place.tenantId);
      const network = await Proxy.start(t, gateway.port);
      const witness = enter(t, "the namespace of the conversation", place);
      await witness.joined();
      const agents = Object.keys(DOORS).map((door) => {
        const auth = (give) => give({ token, cursor: agent.told.length > 0 ? agent.cursor : undefined });
        const agent = enter(t, door, place, { auth, at: network });
        return agent;
      });
      await Promise.all(agents.map((agent) => agent.joined()));
      const texts = [];
      for (let round = 1; round <= 3; round += 1) {
        texts.push(`before cut ${round}`, `during cut ${round} a`, `during cut ${round} b`);
        await tell(place, witness, `before cut ${round}`);
        await Promise.all(agents.map((agent) => agent.receives(round * 3 - 2)));
        network.cut();
        await Promise.all(agents.map((agent) => agent.until("the loss", () => agent.departures.length === round)));
        await tell(place, witness, `during cut ${round} a`, `during cut ${round} b`);
        network.mend();
        await Promise.all(agents.map((agent) => agent.receives(round * 3)));
      }
      await tell(place, witness, "at last");
      await Promise.all(agents.map((agent) => agent.receives(10)));
      for (const agent of agents) {
        assert.deepEqual(agent.texts, [...texts, "at last"]);
        assert.deepEqual(agent.joins.map(({ resume }) => resume), ["fresh", "resumed", "resumed", "resumed"]);
      }
    });

    test("a burst of thousands reaches a client that reads, all of it and in order", async (t) => {
      const place = newPlace();
      const agent = enter(t, "the namespace of the conversation", place);
      await agent.joined();
      const texts = Array.from({ length: 3000 }, (_, i) => `message ${i}`);
      await gateway.publishAll(place, "inbound_message", texts.map(inbound));
      await agent.receives(texts.length);
      assert.deepEqual(agent.texts, texts);
      assert.deepEqual(agent.departures, []);
    });

    test("the packets go the way the client has chosen", async (t) => {
      const place = newPlace();
      const agent = enter(t, "the namespace of the conversation", place);
      await agent.joined();
      if (transports === undefined) await agent.until("the upgrade", () => agent.transport === "websocket");
      assert.equal(agent.transport, transports?.[0] ?? "websocket");
      await tell(place, agent, "one", "two");
      assert.deepEqual(agent.texts, ["one", "two"]);
      assert.deepEqual(agent.departures, []);
    });
  });
}

describe("For all clients at once", () => {
  /** Every transport at every door, each in a conversation of its own; each gives its cursor when it comes back. */
  async function everyone(t, at) {
    const tenantId = unique("t");
    const token = at.token(tenantId);
    const members = Object.values(TRANSPORTS).flatMap((transports) =>
      Object.values(DOORS).map((open) => {
        const place = { tenantId, conversationId: unique("c") };
        const auth = (give) => give({ token, cursor: agent.told.length > 0 ? agent.cursor : undefined });
        const agent = new Agent(t, open(at.url, place, auth, { ...IMPATIENT, transports }));
        return { place, agent, carrier: transports?.[0] ?? "websocket" };
      }),
    );
    await Promise.all(
      members.map(async ({ agent, carrier }) => {
        await agent.joined();
        await agent.until("the upgrade", () => agent.transport === carrier);
      }),
    );
    return members;
  }

  /** Has each customer say the same. */
  async function publish(at, members, text) {
    await Promise.all(members.map(({ place }) => at.publish(place, "inbound_message", inbound(text))));
  }

  test("who is upgraded from polling while the window comes, over a long way, gets all of it", async (t) => {
    const place = newPlace();
    const numbers = Array.from({ length: 200 }, (_, number) => number);
    for (const number of numbers) await gateway.emit(place, "note", { number, padding: "x".repeat(1000) });
    const proxy = await Proxy.start(t, gateway.port);
    proxy.delay(20);
    const agents = Array.from({ length: 12 }, () => {
      const open = DOORS["the root namespace with ids in the query"];
      return new Agent(t, open(proxy.url, place, { token: gateway.token(place.tenantId) }, IMPATIENT));
    });
    for (const agent of agents) {
      assert.equal((await agent.joined()).replaying, numbers.length);
      await agent.receives(numbers.length);
      assert.deepEqual(agent.events.map(([, payload]) => payload.number), numbers);
      assert.deepEqual(agent.departures, [], "it stayed connected");
    }
  });

  for (const [way, delay] of [["at once", 0], ["over a long way", 20]]) {
    test(`who opens 150 conversations with long tokens while it is upgraded has all of them, ${way}`, async (t) => {
      const tenantId = unique("t");
      // More than a post may carry, and more than may be opened at a time.
      const auth = { token: gateway.token(tenantId, { name: "x".repeat(1000) }) };
      const proxy = await Proxy.start(t, gateway.port);
      proxy.delay(delay);
      const manager = new Manager(proxy.url, IMPATIENT);
      const members = Array.from({ length: 150 }, () => {
        const place = { tenantId, conversationId: unique("c") };
        const agent = new Agent(t, manager.socket(namespaceOf(place), { auth }));
        return { place, agent };
      });
      await Promise.all(members.map(({ agent }) => agent.joined()));
      await publish(gateway, members, "hello");
      await Promise.all(members.map(({ agent }) => agent.receives(1)));
      for (const { agent } of members) {
        assert.deepEqual(agent.texts, ["hello"]);
        assert.deepEqual(agent.departures, [], "it stayed connected");
        assert.equal(agent.joins.length, 1);
      }
      await members[0].agent.until("the upgrade", () => members[0].agent.transport === "websocket");
    });
  }

  test("SIGTERM closes their transports, and the gateway ends with 0", async (t) => {
    const own = await Gateway.start(t, broker);
    const members = await everyone(t, own);
    await publish(own, members, "good night");
    await Promise.all(members.map(({ agent }) => agent.receives(1)));
    await own.stop();
    for (const { agent } of members) {
      await agent.until("the end", () => agent.departures.length > 0);
      assert.deepEqual(agent.departures, ["transport close"]);
      // Who was back before the gateway had ended was told so.
      assert.ok(agent.socket.active || agent.refusals.includes(UNAVAILABLE), "the client comes back by itself");
    }
  });

  test("after a restart on the same port an old cursor is answered with reset and the window", async (t) => {
    const own = await Gateway.start(t, broker);
    const members = await everyone(t, own);
    for (const { agent } of members) agent.insists(t);
    await publish(own, members, "before");
    await Promise.all(members.map(({ agent }) => agent.receives(1)));
    await own.stop();
    await publish(own, members, "meanwhile");
    await own.start();
    await Promise.all(members.map(({ agent }) => agent.receives(2)));
    await publish(own, members, "after");
    await Promise.all(members.map(({ agent }) => agent.receives(3)));
    for (const { agent } of members) {
      assert.deepEqual(agent.texts, ["before", "meanwhile", "after"]);
      assert.deepEqual(agent.joins.map(({ resume }) => resume), ["fresh", "reset"]);
    }
  });

  for (const carriage of ["WebSocket", "polling"]) {
    /** Connections that stand, so that what is opened over them arrives at the same instant. */
    async function connections(count) {
      const options = { ...IMPATIENT, randomizationFactor: 0.5, transports: TRANSPORTS[carriage], autoConnect: false };
      const managers = Array.from({ length: count }, () => new Manager(gateway.url, options));
      await Promise.all(managers.map((manager) => new Promise((opened) => manager.open(opened))));
      return managers;
    }

    /** A member at the namespace of a conversation, coming back to where it was whenever it is sent away. */
    function member(t, manager, place, token) {
      const auth = (give) => give({ token, cursor: agent.told.length > 0 ? agent.cursor : undefined });
      const agent = new Agent(t, manager.socket(namespaceOf(place), { auth }));
      agent.socket.connect();
      return { place, agent };
    }

    /** Sees to it that all of them have all of it, now and when what the gateway looks at later has been looked at. */
    async function assertStaying(t, members) {
      const places = [...new Set(members.map(({ place }) => place))].map((place) => ({ place }));
      await publish(gateway, places, "one");
      await Promise.all(members.map(({ agent }) => agent.receives(1)));
      const own = newPlace();
      const auth = { token: gateway.token(own.tenantId) };
      const clock = new Agent(t, DOORS["the root namespace with ids in auth"](gateway.url, own, auth, {}));
      await clock.joined();
      await clock.until("two seconds on the gateway's clock", async () => {
        await tell(own, clock, unique("tick"));
        const [first, last] = [clock.events.at(0), clock.events.at(-1)].map(([, , { at }]) => Date.parse(at));
        return last - first > 2000;
      });
      await publish(gateway, places, "two");
      await Promise.all(members.map(({ agent }) => agent.receives(2)));
      for (const { agent } of members) assert.deepEqual(agent.texts, ["one", "two"]);
      const reasons = members.flatMap(({ agent }) => agent.departures);
      const sentAway = reasons.filter((reason) => reason === "io server disconnect").length;
      assert.equal(sentAway, 0, `of ${members.length} clients ${sentAway} were sent away for good`);
    }

    test(`two that open a conversation at the same instant over ${carriage} both have all of it`, async (t) => {
      const tenantId = unique("t");
      const token = gateway.token(tenantId);
      const members = [];
      for (let round = 0; round < 100; round += 1) {
        const place = { tenantId, conversationId: unique("c") };
        const pair = (await connections(2)).map((manager) => member(t, manager, place, token));
        members.push(...pair);
      }
      await assertStaying(t, members);
    });

    test(`two that open twenty conversations at the same instant over ${carriage} both have all of them`, async (t) => {
      const tenantId = unique("t");
      const token = gateway.token(tenantId);
      const places = Array.from({ length: 20 }, () => ({ tenantId, conversationId: unique("c") }));
      const managers = await connections(2);
      const members = places.flatMap((place) => managers.map((manager) => member(t, manager, place, token)));
      await assertStaying(t, members);
    });
  }

  test("no line of the log holds a token, a key or a message, whatever the level", async (t) => {
    const own = await Gateway.start(t, broker, { RUST_LOG: "trace" });
    const members = await everyone(t, own);
    const texts = ["said", "relayed"].map((word) => own.keepSecret(unique(word)));
    await publish(own, members, texts[0]);
    await Promise.all(members.map(({ agent }) => agent.receives(1)));
    for (const { place } of members) {
      await own.emit(place, "outbound_message", { messageId: unique("m"), text: texts[1] });
    }
    await Promise.all(members.map(({ agent }) => agent.receives(2)));
    for (const { agent } of members) assert.deepEqual(agent.texts, texts);
    // Stopping asserts that the log holds nothing that is to be kept.
    await own.stop();
  });
});

function newPlace() {
  return { tenantId: unique("t"), conversationId: unique("c") };
}

/** A customer's message; the same text gives the same message. */
function inbound(text) {
  // The log may hold a message's id, and not its text.
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 24);
  return { messageId: `wamid.${hash}`, type: "text", text, from: "447700900123", timestamp: "2024-05-01T10:00:00Z" };
}

/** Has the customer say something, one after the other, and waits until `witness` has it. */
async function tell(place, witness, ...texts) {
  for (const text of texts) {
    await gateway.publish(place, "inbound_message", inbound(text));
    await witness.until(text, () => witness.texts.includes(text));
  }
}

/** Has one event of each kind happen, and answers their names and payloads as members get them. */
async function happen(place, witness) {
  const message = {
    messageId: "wamid.1",
    text: "Grüße\nfrom 🚲 <b>here</b>",
    mediaUrl: "https://media.example.com/a.jpg?size=2",
    mediaType: "image/jpeg",
    from: "447700900123",
  };
  await gateway.publish(place, "inbound_message", {
    ...message,
    timestamp: "2024-05-01T12:00:00.250+02:00",
    unknown: "not passed on",
  });
  await witness.receives(1);
  const failure = { messageId: "wamid.0", status: "failed", error: { code: 131026, title: "Message undeliverable" } };
  await gateway.publish(place, "status_update", { ...failure, timestamp: 1714557600, text: "not passed on" });
  await witness.receives(2);
  const reply = { messageId: "wamid.2", text: "How can I help?", timestamp: "2024-05-01T10:01:00Z" };
  const relayed = await gateway.emit(place, "outbound_message", reply);
  await witness.receives(3);
  const custom = { by: { agent: "agent-9" }, tags: ["vip", null, 1.5, true], note: "" };
  const { cursor } = await gateway.emit(place, "conversation_assigned", custom);
  await witness.receives(4);
  assert.deepEqual([relayed.cursor, cursor], witness.events.slice(2).map(([, , meta]) => meta.cursor));
  return [
    ["inbound_message", { ...message, type: "image", timestamp: "2024-05-01T10:00:00.25Z" }],
    ["status_update", { ...failure, timestamp: "2024-05-01T10:00:00Z" }],
    ["outbound_message", reply],
    ["conversation_assigned", custom],
  ];
}

/** Live events with these names and payloads, and a meta argument as it should be. */
function assertEvents(events, expected) {
  assert.deepEqual(events.map(([name, payload]) => [name, payload]), expected);
  for (const [, , meta, ...more] of events) {
    assert.deepEqual(more, [], "an event has two arguments");
    assert.deepEqual(Object.keys(meta).sort(), ["at", "cursor"]);
    assertCursor(meta.cursor);
    assert.match(meta.at, RFC_3339);
  }
  assert.equal(new Set(events.map(([, , { cursor }]) => cursor)).size, events.length, "each has a cursor of its own");
}

function assertCursor(cursor) {
  assert.equal(typeof cursor, "string");
  assert.ok(cursor.length > 0 && cursor.length <= 128, `a cursor of ${cursor.length} characters`);
}
