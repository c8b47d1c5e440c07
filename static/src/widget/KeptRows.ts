/** A player's events, which do not bubble. */
const MEDIA_EVENTS = ["play", "pause", "ended", "emptied"] as const;

/**
 * The messages that have to stay in the page wherever the agent scrolls: a voice message plays on, and the keyboard
 * does not lose its place.
 */
export class KeptRows {
  /** Messages by what keeps them: a player, or the focus. */
  readonly #kept = new Map<unknown, string>();
  readonly #onChange: (before: string | undefined, now: string | undefined) => void;
  #log: HTMLElement | undefined;

  /** `onChange` is told which message is kept no longer, and which one is now. */
  constructor(onChange: (before: string | undefined, now: string | undefined) => void) {
    this.#onChange = onChange;
  }

  get ids(): ReadonlySet<string> {
    return new Set(this.#kept.values());
  }

  /** Begins to watch the log, and answers how to stop. */
  attach(log: HTMLElement): () => void {
    this.#log = log;
    log.addEventListener("focusin", this.#onFocusIn);
    log.addEventListener("focusout", this.#onFocusOut);
    for (const name of MEDIA_EVENTS) log.addEventListener(name, this.#onMedia, true);
    return () => {
      log.removeEventListener("focusin", this.#onFocusIn);
      log.removeEventListener("focusout", this.#onFocusOut);
      for (const name of MEDIA_EVENTS) log.removeEventListener(name, this.#onMedia, true);
    };
  }

  readonly #onFocusIn = ({ target }: Event): void => this.#keep("focus", target);

  /** Between one element and the next nothing has the focus, and what is about to get it must not go. */
  readonly #onFocusOut = (): void => {
    setTimeout(() => {
      if (!this.#log?.contains(document.activeElement)) this.#keep("focus", null);
    });
  };

  readonly #onMedia = ({ type, target }: Event): void => {
    this.#keep(target, type === "play" ? target : null);
  };

  /** Keeps the message of an element for a reason, until there is none. */
  #keep(reason: unknown, element: EventTarget | null): void {
    const row = element instanceof Element ? element.closest<HTMLElement>("[data-message-id]") : null;
    const now = row?.dataset.messageId;
    const before = this.#kept.get(reason);
    if (before === now) return;
    if (now === undefined) this.#kept.delete(reason);
    else this.#kept.set(reason, now);
    this.#onChange(before, now);
  }
}
