import { Emitter } from "../client/Emitter";
import { Conversation, type Message } from "../client";
import { api, type Scene } from "./api";
import type { Diary } from "./Diary";

/** How many of the agents' messages can be chosen from. */
const CHOICES = 20;

/** Gathers changes for so many milliseconds: hundreds may come at once. */
const GATHER_MS = 50;

/** Reads along as a third agent, so that the page knows which messages there are to tick, whoever sent them. */
export class Onlooker {
  readonly #conversation: Conversation;
  readonly #emitter = new Emitter<{ change: [] }>();
  #outbound: readonly Message[] = [];
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor({ tenantId, conversationId }: Scene, diary: Diary) {
    const getToken = async () => (await api.token("playground", 3600)).token;
    this.#conversation = new Conversation({ url: location.origin, tenantId, conversationId, getToken });
    this.#conversation.on("message", () => this.#changed());
    this.#conversation.on("status", () => this.#changed());
    this.#conversation.on("state", (state) => {
      if (state.name === "stopped") diary.write("error", `The page does not read along any more: ${state.why}`);
    });
    this.#conversation.connect();
  }

  /** All that it has read, oldest first. */
  get messages(): readonly Message[] {
    return this.#conversation.messages;
  }

  /** The agents' latest messages, newest first. */
  get outbound(): readonly Message[] {
    return this.#outbound;
  }

  /** Listens to changes and answers a function that stops listening. */
  on(name: "change", listener: () => void): () => void {
    return this.#emitter.on(name, listener);
  }

  #changed(): void {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const outbound = this.#conversation.messages.filter(({ direction }) => direction === "out");
      this.#outbound = outbound.slice(-CHOICES).reverse();
      this.#emitter.emit("change");
    }, GATHER_MS);
  }
}
