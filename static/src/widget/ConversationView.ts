import type { Agent, Conversation, ConversationState, Gap, Message } from "../client";

/** What the page shows of a conversation, as of one moment. */
export interface Snapshot {
  readonly state: ConversationState;
  readonly agent: Agent | undefined;
  readonly messages: readonly Message[];
  /** The latest gap that the history has not filled, until the agent dismisses it. */
  readonly gap: Gap | undefined;
  /** The connection has stood or been tried before, so that what is missing now is a break and no beginning. */
  readonly broken: boolean;
}

/** Milliseconds in which changes are gathered: a burst of thousands is drawn some sixty times a second. */
const GATHER_MS = 16;

/** Turns a conversation's events into snapshots. */
export class ConversationView {
  readonly #conversation: Conversation;
  readonly #listeners = new Set<(snapshot: Snapshot) => void>();
  #gap: Gap | undefined;
  #broken = false;
  #snapshot: Snapshot;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
    this.#snapshot = this.#take();
    conversation.on("message", () => this.#changed());
    conversation.on("messages", () => this.#changed());
    conversation.on("change", () => this.#changed());
    conversation.on("status", () => this.#changed());
    conversation.on("reset", (gap) => {
      if (gap.filled) return;
      this.#gap = gap;
      this.#changed();
    });
    conversation.on("state", ({ name }) => {
      if (name === "offline") this.#broken = true;
      if (name === "live" || name === "catching-up") this.#broken = false;
      this.#changed();
    });
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  /** Listens to new snapshots and answers a function that stops listening. */
  subscribe(listener: (snapshot: Snapshot) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  dismissGap(): void {
    this.#gap = undefined;
    this.#changed();
  }

  #changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#snapshot = this.#take();
      for (const listener of this.#listeners) listener(this.#snapshot);
    }, GATHER_MS);
  }

  #take(): Snapshot {
    const { state, agent, messages } = this.#conversation;
    return { state, agent, messages: [...messages], gap: this.#gap, broken: this.#broken };
  }
}
