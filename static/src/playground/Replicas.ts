import { Emitter } from "../client/Emitter";
import { AGENTS, api, NAMES, type Agent, type Replica } from "./api";
import type { Diary } from "./Diary";

/** How often it is asked how they are, in milliseconds. */
const PERIOD_MS = 500;

/** The gateways that share the conversation: how each of them is, and which agents are there. */
export class Replicas {
  readonly #diary: Diary;
  readonly #emitter = new Emitter<{ change: [] }>();
  #all: readonly Replica[] = [];
  /** Where each agent was seen last. */
  readonly #places = new Map<Agent, number>();

  constructor(diary: Diary) {
    this.#diary = diary;
    void this.#watch();
  }

  get all(): readonly Replica[] {
    return this.#all;
  }

  /** Whose widgets are at a replica. */
  agentsAt({ agents }: Replica): readonly Agent[] {
    return AGENTS.filter((agent) => agents.includes(agent));
  }

  /** Ends a replica as a power cut does. Throws an `Error` that says why it could not. */
  async kill(number: number): Promise<void> {
    const { agents } = await api.kill(number);
    const there = AGENTS.filter((agent) => agents.includes(agent)).map((agent) => NAMES[agent]);
    const who =
      there.length > 0 ? `${there.join(" and ")} were there`.replace(/^(\w+) were/, "$1 was") : "nobody was there";
    this.#diary.write("gateway", `replica ${number} killed: ${who}`);
    await this.#look();
  }

  /** Listens to changes and answers a function that stops listening. */
  on(name: "change", listener: () => void): () => void {
    return this.#emitter.on(name, listener);
  }

  async #watch(): Promise<never> {
    for (;;) {
      // Whoever ends all of them ends this page as well: the widgets say so.
      await this.#look().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, PERIOD_MS));
    }
  }

  async #look(): Promise<void> {
    const before = this.#all;
    const { replicas } = await api.replicas();
    this.#all = replicas;
    for (const replica of replicas) {
      const was = before.find(({ number }) => number === replica.number);
      if (was && was.state !== "ready" && replica.state === "ready") {
        this.#diary.write("gateway", `replica ${replica.number} is back`);
      }
      for (const agent of this.agentsAt(replica)) this.#seen(agent, replica.number);
    }
    this.#emitter.emit("change");
  }

  #seen(agent: Agent, number: number): void {
    const before = this.#places.get(agent);
    this.#places.set(agent, number);
    if (before === number) return;
    this.#diary.write("gateway", `${NAMES[agent]} is at replica ${number}${before ? `, and was at ${before}` : ""}`);
  }
}
