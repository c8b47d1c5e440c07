import { Manager, io } from "socket.io-client";
import { until } from "./until.js";

/** Ways in which the official client carries its packets; undefined is its own choice. */
export const TRANSPORTS = {
  WebSocket: ["websocket"],
  polling: ["polling"],
  "polling that is upgraded": undefined,
};

/** Both namespaces of a conversation, the root with either place for the ids. */
export const NAMESPACES = {
  "the root namespace with ids in the query": (url, { tenantId, conversationId }, auth, options) =>
    io(url, { ...options, forceNew: true, query: { tenantId, conversationId }, auth }),
  "the root namespace with ids in auth": (url, place, auth, options) =>
    io(url, {
      ...options,
      forceNew: true,
      auth: typeof auth === "function" ? (give) => auth((more) => give({ ...place, ...more })) : { ...place, ...auth },
    }),
  "the namespace of the conversation": (url, place, auth, options) =>
    new Manager(url, options).socket(namespaceOf(place), { auth }),
};

/** Milliseconds after which a client tries again. */
const TRY_AGAIN_MS = 50;

/** Clients that try again soon: tests need not wait the seconds that browsers do. */
export const IMPATIENT = { reconnectionDelay: TRY_AGAIN_MS, reconnectionDelayMax: TRY_AGAIN_MS, randomizationFactor: 0 };

/** What a gateway that is about to end tells those who are back before it has. */
export const UNAVAILABLE = "Service unavailable";

export function namespaceOf({ tenantId, conversationId }) {
  return `/tenant/${tenantId}/conv/${conversationId}`;
}

/** An official Socket.IO client in one conversation, and all that it has been told. */
export class Agent {
  /** Everything the server has sent, in order, as the listeners' arguments with the name before them. */
  told = [];
  /** The messages of `connect_error`. */
  refusals = [];
  /** The reasons of `disconnect`. */
  departures = [];
  connects = 0;

  constructor(t, socket) {
    this.socket = socket;
    socket.onAny((...event) => this.told.push(event));
    socket.on("connect", () => (this.connects += 1));
    socket.on("connect_error", ({ message }) => this.refusals.push(message));
    socket.on("disconnect", (reason) => this.departures.push(reason));
    t.after(() => this.close());
  }

  /** What the server has said about joining, one for each connection. */
  get joins() {
    return this.told.filter(([name]) => name === "joined").map(([, joined]) => joined);
  }

  /** All but that. */
  get events() {
    return this.told.filter(([name]) => name !== "joined");
  }

  /** The cursor to resume from: of the last event, or that of the join when nothing came. */
  get cursor() {
    const [name, data, meta] = this.told.at(-1);
    return name === "joined" ? data.cursor : meta.cursor;
  }

  /** The messages it has been sent. */
  get texts() {
    return this.events.map(([, { text }]) => text);
  }

  get transport() {
    return this.socket.io.engine.transport.name;
  }

  /** Waits for the `count`th connection's `joined`, and answers it. */
  async joined(count = 1) {
    return this.until(`join ${count}`, () => this.joins.at(count - 1));
  }

  /** Waits for so many events in all, and answers them. */
  async receives(count) {
    await this.until(`${count} events`, () => this.events.length >= count);
    return this.events;
  }

  async refused() {
    return this.until("a refusal", () => this.refusals.at(0));
  }

  /** Waits, and says what there was when that was in vain. */
  async until(what, condition) {
    const { told, refusals, departures } = this;
    const seen = () => JSON.stringify({ told: told.length, first: told.slice(0, 3), last: told.slice(-3), refusals, departures });
    return until(() => `${what}; there was ${seen()}`, condition);
  }

  /** Has it try again when the gateway is unavailable, which the library leaves to its user. */
  insists(t) {
    let timer;
    this.socket.on("connect_error", ({ message }) => {
      if (message === UNAVAILABLE) timer = setTimeout(() => this.socket.connect(), TRY_AGAIN_MS);
    });
    t.after(() => clearTimeout(timer));
  }

  /** Leaves, and closes the connection if nobody else is on it. */
  close() {
    this.socket.disconnect();
  }
}
