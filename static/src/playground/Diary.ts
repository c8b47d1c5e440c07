import { Emitter } from "../client/Emitter";
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
  readonly #emitter = new Emitter<{ change: [] }>();
  #notes: readonly Note[] = [];
  #count = 0;

  get notes(): readonly Note[] {
    return this.#notes;
  }

  write(actor: Actor, text: string, id?: string): void {
    this.#count += 1;
    this.#notes = [...this.#notes, { number: this.#count, at: new Date(), actor, text, id }].slice(-LIMIT);
    this.#emitter.emit("change");
  }

  clear(): void {
    this.#notes = [];
    this.#emitter.emit("change");
  }

  /** Listens to changes and answers a function that stops listening. */
  on(name: "change", listener: () => void): () => void {
    return this.#emitter.on(name, listener);
  }
}
