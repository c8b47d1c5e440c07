import { api, NAMES, type Agent, type EventName, type Scene } from "./api";
import { Diary } from "./Diary";
import { Host, lifetime, SHORT_LIFE } from "./Host";
import type { Message } from "../client";
import { cloudApiWebhook } from "./cloudApiWebhook";
import type { KindOfMessage } from "./kinds";
import { PastStore, type HistoryMode } from "./PastStore";
import { Onlooker } from "./Onlooker";
import { Replicas } from "./Replicas";
import { AGENT_TEXTS, CUSTOMER, CUSTOMER_TEXTS, shuffled, type Reason } from "./samples";

export type TickName = "sent" | "delivered" | "read" | "failed";

/** What the buttons do, each with its line in the log. Nothing here throws: the log says what failed. */
export class Playground {
  readonly scene: Scene;
  readonly diary: Diary;
  readonly host: Host;
  readonly onlooker: Onlooker;
  readonly past: PastStore;
  /** The gateways, if there are several. */
  readonly replicas: Replicas | undefined;
  readonly #nextQuestion = shuffled(CUSTOMER_TEXTS);
  readonly #nextAnswer = shuffled(AGENT_TEXTS);

  constructor(scene: Scene) {
    this.scene = scene;
    this.diary = new Diary();
    this.host = new Host(this.diary);
    this.onlooker = new Onlooker(scene, this.diary);
    this.past = new PastStore(this.diary, this.onlooker);
    this.replicas = scene.replicas ? new Replicas(this.diary) : undefined;
  }

  customerWrites(text = this.#nextQuestion()): Promise<void> {
    return this.customerSends({ text });
  }

  customerSends(payload: object): Promise<void> {
    return this.#publish("inbound_message", { from: CUSTOMER, ...payload });
  }

  /** A message of a type that may be about another one. */
  async customerSendsKind({ title, payload }: KindOfMessage): Promise<void> {
    const { messages } = this.onlooker;
    const latest = (direction: Message["direction"]) =>
      messages.findLast((message) => message.direction === direction && message.deletedAt === undefined);
    const fields = payload({ customers: latest("in"), agents: latest("out") });
    if (fields) return this.customerSends(fields);
    this.diary.write("error", `${title}: there is no message yet that it could be about`);
  }

  /** A webhook as Meta posts it, into the exchange as it is. */
  webhook(): Promise<void> {
    return this.#try(async () => {
      const { milliseconds } = await api.webhook(cloudApiWebhook(this.onlooker.outbound[0]?.messageId));
      this.diary.write("broker", `a Cloud API webhook confirmed by ${this.scene.exchange} in ${milliseconds} ms`);
    });
  }

  setHistory(mode: HistoryMode, agents: readonly Agent[]): void {
    this.past.mode = mode;
    this.host.history = mode === "none" ? undefined : (context) => this.past.page(context);
    for (const agent of agents) this.host.signIn(agent);
  }

  agentWrites(text = this.#nextAnswer()): Promise<void> {
    return this.#publish("outbound_message", { text });
  }

  tick(messageId: string, status: TickName, error?: Reason): Promise<void> {
    return this.#publish("status_update", { messageId, status, ...(error && { error }) });
  }

  drop(agents: readonly Agent[]): Promise<void> {
    return this.#try(async () => {
      const { connections } = await api.cut(agents, 0);
      this.diary.write("gateway", `hung up on ${list(agents)}: ${count(connections, "connection")}`);
    });
  }

  cut(agents: readonly Agent[], seconds: number): Promise<void> {
    return this.#try(async () => {
      const { connections } = await api.cut(agents, seconds);
      const refused = `connects are refused for ${seconds} s`;
      this.diary.write("gateway", `hung up on ${list(agents)}: ${count(connections, "connection")}; ${refused}`);
    });
  }

  outrun(agents: readonly Agent[]): Promise<void> {
    return this.#try(async () => {
      this.diary.write("gateway", `${list(agents)} cut off while messages are published`);
      const { published, window } = await api.outrun(agents);
      this.diary.write(
        "broker",
        `${published} messages confirmed by ${this.scene.exchange}; the window keeps ${window}`,
      );
    });
  }

  kill(replica: number): Promise<void> {
    return this.#try(async () => this.replicas?.kill(replica));
  }

  shorten(agents: readonly Agent[]): void {
    this.diary.write("host", `${list(agents)} signed in anew: first with a token for ${lifetime(SHORT_LIFE)}`);
    for (const agent of agents) this.host.shorten(agent);
  }

  endSession(agents: readonly Agent[]): void {
    this.diary.write("host", `${list(agents)}: the session ends, and no further token is given`);
    for (const agent of agents) this.host.end(agent);
  }

  signIn(agents: readonly Agent[]): void {
    this.diary.write("host", `${list(agents)} signed in again`);
    for (const agent of agents) this.host.signIn(agent);
  }

  #publish(event: EventName, payload: object): Promise<void> {
    return this.#try(async () => {
      const { messageId, milliseconds } = await api.publish(event, payload);
      const took = milliseconds < 1 ? "in under 1 ms" : `in ${milliseconds} ms`;
      const status = "status" in payload ? ` ${String(payload.status)}` : "";
      if (event === "outbound_message") this.diary.write("relay", `outbound_message taken ${took}`, messageId);
      else this.diary.write("broker", `${event}${status} confirmed by ${this.scene.exchange} ${took}`, messageId);
    });
  }

  async #try(action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.diary.write("error", (error as Error).message);
    }
  }
}

function list(agents: readonly Agent[]): string {
  return agents.map((agent) => NAMES[agent]).join(" and ");
}

function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}
