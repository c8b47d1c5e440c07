import type { Conversation, Message } from "../../client";
import { Emitter } from "../../client/Emitter";

/** What is needed of the page's document. */
type Visibility = Pick<Document, "hidden" | "addEventListener" | "removeEventListener">;

/**
 * What the customer has written and the agent has not seen: because the page is hidden, or because the agent reads
 * further up. What was there before the page was is no news; what came while the connection was cut is.
 */
export class Unread {
  readonly #emitter = new Emitter<{ change: [] }>();
  readonly #document: Visibility;
  readonly #news = new Set<string>();
  #count = 0;
  #line: string | undefined;
  #away = false;

  constructor(conversation: Pick<Conversation, "on">, document: Visibility) {
    this.#document = document;
    conversation.on("message", (message, _origin, news) => {
      if (news) this.#arrived(message);
    });
    conversation.on("messages", (messages, _origin, news) => {
      if (news > 0) for (const message of messages.slice(-news)) this.#arrived(message);
    });
    document.addEventListener("visibilitychange", () => this.#look());
  }

  /** Messages of the customer's that have not been seen. */
  get count(): number {
    return this.#count;
  }

  /** The first of them, above which the line stands, also after they have been seen; until there are others. */
  get line(): string | undefined {
    return this.#line;
  }

  /** Whether a message has come while the agent was here. */
  isNews(messageId: string): boolean {
    return this.#news.has(messageId);
  }

  /** Listens to changes and answers a function that stops listening. */
  on(name: "change", listener: () => void): () => void {
    return this.#emitter.on(name, listener);
  }

  /** Says whether the agent reads further up. */
  reads(away: boolean): void {
    this.#away = away;
    this.#look();
  }

  /** The agent is led to the first of them. */
  seen(): void {
    if (this.#count === 0) return;
    this.#count = 0;
    this.#emitter.emit("change");
  }

  #arrived({ messageId, direction }: Message): void {
    this.#news.add(messageId);
    if (direction === "out" || !(this.#away || this.#document.hidden)) return;
    if (this.#count === 0) this.#line = messageId;
    this.#count += 1;
    this.#emitter.emit("change");
  }

  #look(): void {
    if (!this.#away && !this.#document.hidden) this.seen();
  }
}
