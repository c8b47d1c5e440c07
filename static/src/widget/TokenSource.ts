import type { Conversation } from "../client";
import { HostChannel } from "../embed/HostChannel";
import { FragmentToken, type Place } from "./PageAddress";

/** Where the page's tokens come from: its address, and in a frame also the page around it. */
export class TokenSource {
  readonly #fragment: FragmentToken;
  /** The page around this one. */
  readonly host: HostChannel | undefined;
  /** A frame's address has one token; the next is the host's. */
  #fragmentUsed = false;
  #conversation: Conversation | undefined;

  constructor(place: Place) {
    const framed = window.parent !== window;
    this.#fragment = new FragmentToken(place, framed);
    if (framed) this.host = new HostChannel(window);
    this.host?.on("token", () => this.#renewed());
  }

  /** Whether there is nowhere to get a token from. */
  get missing(): boolean {
    return this.#fragment.value === undefined && this.host === undefined;
  }

  readonly get = (): string | Promise<string> => {
    const token = this.#fragment.value;
    if (this.host === undefined) return token ?? "";
    if (token === undefined || this.#fragmentUsed) return this.host.getToken();
    this.#fragmentUsed = true;
    return token;
  };

  /** A token that comes unasked takes up again what has stopped for want of one. */
  serves(conversation: Conversation): void {
    this.#conversation = conversation;
    window.addEventListener("hashchange", () => {
      if (!this.#fragment.take()) return;
      this.#fragmentUsed = false;
      this.#renewed();
    });
  }

  #renewed(): void {
    if (this.#conversation?.state.name === "stopped") this.#conversation.retryNow();
  }
}
