import type { Agent, Context, Conversation, ConversationState, Gap, HistoryState, Message } from "../client";
import { Emitter } from "../client/Emitter";

/** What the page shows of a conversation, as of one moment. */
export interface Snapshot {
  readonly state: ConversationState;
  readonly agent: Agent | undefined;
  readonly messages: readonly Message[];
  /** Where messages may be missing. */
  readonly gaps: readonly Gap[];
  readonly history: HistoryState;
  readonly context: Context;
  /** The connection has stood or been tried before, so that what is missing now is a break and no beginning. */
  readonly broken: boolean;
  /** The conversation has not been live yet: what comes is no news. */
  readonly fresh: boolean;
}

/** Milliseconds in which changes are gathered: a burst of thousands is drawn some sixty times a second. */
const GATHER_MS = 16;

const EVENTS = ["message", "messages", "change", "status", "reset", "history", "context"] as const;

/** Turns a conversation's events into snapshots. */
export class ConversationView {
  readonly #conversation: Conversation;
  readonly #emitter = new Emitter<{ change: [snapshot: Snapshot] }>();
  #broken = false;
  #fresh = true;
  #snapshot: Snapshot;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
    this.#snapshot = this.#take([...conversation.messages]);
    for (const name of EVENTS) conversation.on(name, () => this.#changed());
    conversation.on("state", ({ name }) => {
      if (name === "offline") this.#broken = true;
      if (name === "live" || name === "catching-up") this.#broken = false;
      if (name === "live") this.#fresh = false;
      this.#changed();
    });
  }

  get now(): Snapshot {
    return this.#snapshot;
  }

  /** Listens to new snapshots and answers a function that stops listening. */
  on(name: "change", listener: (snapshot: Snapshot) => void): () => void {
    return this.#emitter.on(name, listener);
  }

  #changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#snapshot = this.#take([...this.#conversation.messages]);
      this.#emitter.emit("change", this.#snapshot);
    }, GATHER_MS);
  }

  #take(messages: readonly Message[]): Snapshot {
    const { state, agent, gaps, history, context } = this.#conversation;
    return { state, agent, messages, gaps, history, context, broken: this.#broken, fresh: this.#fresh };
  }
}
