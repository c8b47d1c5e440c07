/** Connect errors as clients show them: over a limit, and of the client of Socket.IO 2. */
import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import oldIo from "socket.io-client-v2";
import { Agent, NAMESPACES, TRANSPORTS } from "./harness/Agent.js";
import { Broker } from "./harness/Broker.js";
import { Gateway, showLogsOfFailures } from "./harness/Gateway.js";
import { unique } from "./harness/unique.js";
import { until } from "./harness/until.js";

const TOO_OLD = "Unsupported protocol version: this server needs socket.io-client 3 or newer";

const broker = await Broker.connect();
showLogsOfFailures();
after(() => broker.close());

describe("Over a limit", () => {
  for (const limit of ["CONNECTION_RATE_PER_IP", "MAX_CONNECTIONS", "MAX_CONNECTIONS_PER_IP"]) {
    test(`of ${limit}, clients that have WebSockets alone are told so`, async (t) => {
      const gateway = await Gateway.start(t, broker, { [limit]: "1" });
      const place = { tenantId: unique("t"), conversationId: unique("c") };
      const auth = { token: gateway.token(place.tenantId) };
      // Many at once, as when a portal's page is opened in a whole office.
      const agents = Array.from({ length: 30 }, () => {
        const open = NAMESPACES["the namespace of the conversation"];
        return new Agent(t, open(gateway.url, place, auth, { transports: TRANSPORTS.WebSocket, reconnection: false }));
      });
      await Promise.all(
        agents.map((agent) => agent.until("an answer", () => agent.refusals.length > 0 || agent.connects > 0)),
      );
      const refused = agents.filter((agent) => agent.connects === 0);
      assert.ok(refused.length > 0);
      assert.deepEqual(
        refused.map(({ refusals }) => refusals),
        refused.map(() => ["Too many connections"]),
      );
    });
  }
});

describe("A client of Socket.IO 2", () => {
  for (const [carriage, transports] of Object.entries(TRANSPORTS)) {
    /** What such a client is told. */
    function enter(t, gateway, namespace) {
      const options = { forceNew: true, ...(transports && { transports }) };
      const socket = oldIo(`${gateway.url}${namespace}`, options);
      t.after(() => socket.close());
      const told = [];
      for (const event of ["connect", "connect_error", "error", "disconnect"]) {
        socket.on(event, (what) => told.push([event, what instanceof Error ? what.message : what]));
      }
      return { socket, told };
    }

    test(`over ${carriage} shows why it is not served, and does not try again`, async (t) => {
      const gateway = await Gateway.start(t, broker);
      const { socket, told } = enter(t, gateway, "/");
      await until("it is sent away", () => told.some(([event]) => event === "disconnect"));
      assert.deepEqual(told, [
        ["error", TOO_OLD],
        ["disconnect", "io server disconnect"],
      ]);
      assert.equal(socket.io.skipReconnect, true);
    });

    test(`over ${carriage} shows why also in a conversation's namespace`, async (t) => {
      const gateway = await Gateway.start(t, broker);
      const { told } = enter(t, gateway, "/tenant/acme/conv/c-1");
      await until("it is sent away", () => told.some(([event]) => event === "disconnect"));
      assert.deepEqual(told[0], ["error", TOO_OLD]);
      assert.ok(!told.some(([event]) => event === "connect" || event === "connect_error"));
    });
  }
});
