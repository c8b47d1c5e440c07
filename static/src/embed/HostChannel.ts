import { Emitter } from "../client/Emitter";
import type { GetHistory } from "../client/History";
import type { FromHost, FromWidget, WidgetEvent, WidgetOptions } from "./protocol";

/** How long a host may take to sign somebody in, in milliseconds, before the page says that it did not work. */
const TIMEOUT_MS = 20_000;

/** What is needed of the page's window. */
export interface FramedWindow {
  readonly parent: Pick<Window, "postMessage">;
  addEventListener(type: "message", listener: (event: MessageEvent) => void): void;
}

interface HostEvents {
  /** The host hands over a token unasked, as after a new sign-in; `getToken` then answers it. */
  token: [];
  /** The host wants the widget to look otherwise. */
  options: [options: WidgetOptions];
}

interface Waiting<Answer> {
  readonly take: (answer: Answer) => void;
  readonly fail: (error: Error) => void;
}

/**
 * The widget's end of what it and the page around it post to each other. Only the parent window is listened to: which
 * pages may be that, the browser sees to by the page's `frame-ancestors`.
 */
export class HostChannel {
  readonly #window: FramedWindow;
  readonly #emitter = new Emitter<HostEvents>();
  readonly #pages = new Map<number, Waiting<unknown>>();
  #asked = 0;
  #token: (Waiting<string> & { readonly timer: ReturnType<typeof setTimeout> }) | undefined;
  #offered: string | undefined;
  /** Where the host is, once it has said anything: events are for its eyes only. */
  #origin: string | undefined;
  /** The newest event of each type that came before that. */
  readonly #early = new Map<string, WidgetEvent>();

  constructor(window: FramedWindow) {
    this.#window = window;
    window.addEventListener("message", (event) => this.#received(event));
  }

  on<Name extends keyof HostEvents>(name: Name, listener: (...args: HostEvents[Name]) => void): () => void {
    return this.#emitter.on(name, listener);
  }

  /** Each time a token is needed this page says that it is ready; fails when the host has none, or does not answer. */
  readonly getToken = (): Promise<string> => {
    const offered = this.#offered;
    this.#offered = undefined;
    if (offered !== undefined) return Promise.resolve(offered);
    this.#settleToken()?.fail(new Error("asked again"));
    return new Promise((take, fail) => {
      const timer = setTimeout(() => this.#settleToken()?.fail(new Error("the host does not answer")), TIMEOUT_MS);
      this.#token = { take, fail, timer };
      this.#ask({ type: "agent-gateway:ready" });
    });
  };

  /** Asks the host for messages; answers nothing where it has no history. */
  readonly history: GetHistory = ({ before, beforeTimestamp, limit, signal }) => {
    const id = (this.#asked += 1);
    return new Promise((take, fail) => {
      this.#pages.set(id, { take: take as (page: unknown) => void, fail });
      signal.addEventListener("abort", () => {
        if (this.#pages.delete(id)) this.#ask({ type: "agent-gateway:history-abort", id });
      });
      this.#ask({
        type: "agent-gateway:history",
        id,
        limit,
        ...(before !== undefined && { before }),
        ...(beforeTimestamp !== undefined && { beforeTimestamp }),
      });
    });
  };

  /** Tells the host what has happened. */
  tell(event: WidgetEvent): void {
    if (this.#origin === undefined) this.#early.set(event.type, event);
    else this.#window.parent.postMessage(event, this.#origin);
  }

  /** Questions tell nothing that others must not hear, and the first comes before the host is known. */
  #ask(question: FromWidget): void {
    this.#window.parent.postMessage(question, this.#origin ?? "*");
  }

  #received({ source, origin, data }: MessageEvent): void {
    if (source !== this.#window.parent || typeof data !== "object" || data === null) return;
    const message = data as FromHost;
    switch (message.type) {
      case "agent-gateway:token":
        this.#met(origin);
        return this.#takeToken(message.token);
      case "agent-gateway:history":
        this.#met(origin);
        return this.#takePage(message);
      case "agent-gateway:options":
        this.#met(origin);
        return this.#emitter.emit("options", message.options);
    }
  }

  #met(origin: string): void {
    if (this.#origin === origin) return;
    this.#origin = origin;
    for (const event of this.#early.values()) this.tell(event);
    this.#early.clear();
  }

  #takeToken(token: unknown): void {
    const waiting = this.#settleToken();
    if (typeof token !== "string" || token === "") return waiting?.fail(new Error("the host has no token"));
    if (waiting) return waiting.take(token);
    this.#offered = token;
    this.#emitter.emit("token");
    // Who has no use for it now asks for a fresh one later.
    this.#offered = undefined;
  }

  #takePage({ id, page }: Extract<FromHost, { type: "agent-gateway:history" }>): void {
    const waiting = this.#pages.get(id);
    this.#pages.delete(id);
    // What has failed there, the host has heard of as of any mistake of its own.
    if (page === undefined) waiting?.fail(new Error("the host's history has failed"));
    else waiting?.take(page);
  }

  /** Ends the waiting for a token, and answers what waited. */
  #settleToken(): Waiting<string> | undefined {
    const waiting = this.#token;
    this.#token = undefined;
    clearTimeout(waiting?.timer);
    return waiting;
  }
}
