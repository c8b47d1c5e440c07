/** With these a player stops. They do not bubble. */
const STOPS = ["pause", "ended", "emptied"] as const;

/** The messages that have to stay in the page wherever the agent scrolls: a voice message plays on, and the keyboard does not lose its place. */
export class KeptRows {
  readonly #playing = new Set<Element>();
  #log: HTMLElement | undefined;

  get ids(): ReadonlySet<string> {
    const ids = new Set<string>();
    const focused = this.#log?.contains(document.activeElement) ? [document.activeElement] : [];
    for (const element of [...this.#playing, ...focused]) {
      const id = element?.closest<HTMLElement>("[data-message-id]")?.dataset.messageId;
      if (id !== undefined) ids.add(id);
    }
    return ids;
  }

  /** Begins to watch the log, and answers how to stop. */
  attach(log: HTMLElement): () => void {
    this.#log = log;
    log.addEventListener("play", this.#onPlay, true);
    for (const name of STOPS) log.addEventListener(name, this.#onStop, true);
    return () => {
      log.removeEventListener("play", this.#onPlay, true);
      for (const name of STOPS) log.removeEventListener(name, this.#onStop, true);
    };
  }

  readonly #onPlay = ({ target }: Event): void => void this.#playing.add(target as Element);
  readonly #onStop = ({ target }: Event): void => void this.#playing.delete(target as Element);
}
