/** Who something happened to, or who did it. */
export type Actor = "host" | "broker" | "relay" | "gateway" | "error";

/** One line of the log. */
export interface Note {
  readonly number: number;
  readonly at: Date;
  readonly actor: Actor;
  readonly text: string;
  /** An id, shown as such. */
  readonly id?: string | undefined;
}

/** How many lines are kept. */
const LIMIT = 200;

/** What has happened on the page, newest last. */
export class Diary {
  readonly #listeners = new Set<() => void>();
  #notes: readonly Note[] = [];
  #count = 0;

  get notes(): readonly Note[] {
    return this.#notes;
  }

  write(actor: Actor, text: string, id?: string): void {
    this.#count += 1;
    this.#notes = [...this.#notes, { number: this.#count, at: new Date(), actor, text, id }].slice(-LIMIT);
    for (const listener of this.#listeners) listener();
  }

  clear(): void {
    this.#notes = [];
    for (const listener of this.#listeners) listener();
  }

  /** Listens to changes and answers a function that stops listening. */
  subscribe(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
}
