import {
  Conversation,
  type Agent,
  type ConversationOptions,
  type ConversationState,
  type Context,
  type Gap,
  type HistoryState,
  type Message,
} from "../client";

/** A conversation as of one moment. It is never changed in place. */
export interface ConversationSnapshot {
  readonly state: ConversationState;
  readonly messages: readonly Message[];
  /** Places where messages may be missing. */
  readonly gaps: readonly Gap[];
  readonly history: HistoryState;
  readonly context: Context;
  readonly agent: Agent | undefined;
}

/** The functions that a component may write anew with each rendering. */
export type Callbacks = Pick<ConversationOptions, "getToken" | "history">;

/** Milliseconds in which changes are gathered: a burst of thousands is rendered some sixty times a second. */
const GATHER_MS = 16;

/** What changes a snapshot. */
const CHANGES = ["message", "messages", "status", "change", "state", "reset", "history", "context"] as const;

/** A conversation as React's `useSyncExternalStore` takes it: connected for as long as somebody listens. */
export class ConversationStore {
  readonly #conversation: Conversation;
  readonly #listeners = new Set<() => void>();
  #callbacks: Callbacks | undefined;
  #snapshot: ConversationSnapshot;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** What it calls has to be there by the time that somebody subscribes: see `use`. */
  constructor(place: Omit<ConversationOptions, keyof Callbacks>, hasHistory: boolean) {
    this.#conversation = new Conversation({
      ...place,
      getToken: () => this.#callbacks?.getToken() ?? "",
      ...(hasHistory && { history: async (request) => this.#callbacks?.history?.(request) }),
    });
    for (const name of CHANGES) this.#conversation.on(name, () => this.#changed());
    this.#snapshot = { ...this.#take(), state: { name: "connecting", attempt: 1 } };
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) {
      this.#conversation.connect();
      this.#snapshot = this.#take();
    }
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#conversation.close();
      clearTimeout(this.#timer);
      this.#timer = undefined;
    };
  };

  readonly getSnapshot = (): ConversationSnapshot => this.#snapshot;

  /** From now on these are called. */
  use(callbacks: Callbacks): void {
    this.#callbacks = callbacks;
  }

  readonly retryNow = (): void => this.#conversation.retryNow();

  readonly loadOlder = (): void => this.#conversation.loadOlder();

  #changed(): void {
    // Not an animation frame: there is none while the page is hidden.
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#snapshot = this.#take();
      for (const listener of this.#listeners) listener();
    }, GATHER_MS);
  }

  #take(): ConversationSnapshot {
    const { state, messages, gaps, history, context, agent } = this.#conversation;
    return { state, messages: [...messages], gaps, history, context, agent };
  }
}
