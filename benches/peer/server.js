// The process that a team would write without the gateway: amqplib, socket.io and Express, each used as its own
// documentation shows. `make bench` measures the gateway beside it; README.md says what it does not do.
import { createServer } from "node:http";
import amqp from "amqplib";
import express from "express";
import { Server } from "socket.io";
import { serveAgents } from "./agents.js";
import { consume } from "./consumer.js";
import { relay } from "./relay.js";
import { declare } from "./topology.js";

const env = process.env;

const app = express();
const server = createServer(app);
const io = new Server(server);
serveAgents(io, env.JWT_SECRET);
app.use("/internal", relay(io, env.INTERNAL_API_KEYS.split(",")));

const connection = await amqp.connect(env.AMQP_URL);
const channel = await connection.createChannel();
const names = {
  exchange: env.AMQP_EXCHANGE,
  inbound: env.AMQP_INBOUND_QUEUE,
  status: env.AMQP_STATUS_QUEUE,
  deadLetters: env.AMQP_DEAD_LETTER_QUEUE,
};
await declare(channel, names);
await channel.prefetch(256);
await consume(channel, names.inbound, "inbound_message", io);
await consume(channel, names.status, "status_update", io);

server.listen(Number(env.PORT), env.HOST, () => {
  const { address, port } = server.address();
  console.error(JSON.stringify({ message: "listening", address: `${address}:${port}` }));
});

for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, async () => {
    await connection.close();
    process.exit(0);
  });
}
