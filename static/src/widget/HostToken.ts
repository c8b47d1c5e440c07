import type { Ancestors } from "./Ancestors";

/** How long a host may take to sign somebody in, in milliseconds, before the page says that it did not work. */
const PATIENCE_MS = 20_000;

/** What is needed of the page's window. */
export interface FramedWindow {
  readonly parent: Pick<Window, "postMessage">;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

interface Waiting {
  readonly take: (token: string) => void;
  readonly fail: (error: Error) => void;
  readonly timer: ReturnType<typeof setTimeout>;
}

/**
 * Tokens from the page around this one. Each time one is needed this page says that it is ready, and the host
 * answers with a token, or with `null` when it has none. Nobody else is listened to: not another frame, and not a
 * parent that is no allowed ancestor.
 */
export class HostToken {
  readonly #window: FramedWindow;
  readonly #ancestors: Ancestors;
  readonly #onOffer: () => void;
  #waiting: Waiting | undefined;
  #offered: string | undefined;

  /** `onOffer` is called when the host hands over a token unasked, as after a new sign-in; `get` then answers it. */
  constructor(window: FramedWindow, ancestors: Ancestors, onOffer: () => void) {
    this.#window = window;
    this.#ancestors = ancestors;
    this.#onOffer = onOffer;
    window.addEventListener("message", (event) => this.#received(event));
  }

  /** A token of the host's; fails when it has none, or does not answer. */
  get(): Promise<string> {
    const offered = this.#offered;
    this.#offered = undefined;
    if (offered !== undefined) return Promise.resolve(offered);
    this.#settled()?.fail(new Error("asked again"));
    return new Promise((take, fail) => {
      const timer = setTimeout(() => this.#settled()?.fail(new Error("the host does not answer")), PATIENCE_MS);
      this.#waiting = { take, fail, timer };
      // It says nothing that others must not hear, and this page does not know which of its ancestors is the parent.
      this.#window.parent.postMessage({ type: "agent-gateway:ready" }, "*");
    });
  }

  #received({ source, origin, data }: MessageEvent): void {
    if (source !== this.#window.parent || !this.#ancestors.allow(origin)) return;
    if (typeof data !== "object" || data?.type !== "agent-gateway:token") return;
    const token: unknown = data.token;
    if (typeof token === "string" && token !== "") this.#take(token);
    else this.#settled()?.fail(new Error("the host has no token"));
  }

  #take(token: string): void {
    const waiting = this.#settled();
    if (waiting) return waiting.take(token);
    this.#offered = token;
    this.#onOffer();
    // Who has no use for it now asks for a fresh one later.
    this.#offered = undefined;
  }

  /** Ends the waiting, and answers what waited. */
  #settled(): Waiting | undefined {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    clearTimeout(waiting?.timer);
    return waiting;
  }
}
