import { readToken } from "./readToken";
import type { GetToken } from "./GetToken";

/**
 * The least time in milliseconds between two tokens asked for because the one before ran out. Tokens that live
 * for less are renewed at this pace instead of as fast as the network allows.
 */
const PAUSE_MS = 10_000;

/** The token in use, and when `getToken` may be asked for the next one. */
export class Credentials {
  readonly #getToken: GetToken;
  #token: string | undefined;
  /** The first token, while it is being asked for. */
  #first: Promise<string> | undefined;
  #askedAt = -Infinity;
  #replacedAt = -Infinity;
  /** An expired token was replaced, and the gateway has not taken the new one yet. */
  #unproven = false;

  constructor(getToken: GetToken) {
    this.#getToken = getToken;
  }

  /** The token in use; asks for it the first time, once for all who wait. Fails when there is none. */
  async current(): Promise<string> {
    if (this.#token !== undefined) return this.#token;
    const first = (this.#first ??= this.#ask());
    try {
      const token = await first;
      // A slow answer must not replace what has been asked for after it.
      return (this.#token ??= token);
    } finally {
      if (this.#first === first) this.#first = undefined;
    }
  }

  /** Asks for a newer token; undefined when `getToken` has only the one in use. Fails when it has none, and keeps that one. */
  async renew(): Promise<string | undefined> {
    this.#askedAt = Date.now();
    const token = await this.#ask();
    if (token === this.#token) return undefined;
    return (this.#token = token);
  }

  /** How many milliseconds to wait before a token that is about to expire is renewed. */
  get pause(): number {
    return remaining(this.#askedAt);
  }

  /**
   * Whether a token may be asked for in place of an expired one: once, and then not before the gateway has taken
   * that one. It is not the time either when the last replacement has run out at once.
   */
  mayReplace(): boolean {
    if (this.#unproven || remaining(this.#replacedAt) > 0) return false;
    this.#unproven = true;
    this.#replacedAt = Date.now();
    return true;
  }

  /** The gateway has taken the token in use. */
  proven(): void {
    this.#unproven = false;
  }

  /** Begins again, as if no token had been asked for yet. */
  forget(): void {
    this.#token = undefined;
    this.#first = undefined;
    this.#askedAt = -Infinity;
    this.#replacedAt = -Infinity;
    this.#unproven = false;
  }

  async #ask(): Promise<string> {
    return readToken(await this.#getToken());
  }
}

/**
 * What is left of the pause that began then, in milliseconds. Time counts on while the device sleeps, so it is the
 * clock's; where that was put back, the pause is taken to be over instead of lasting for as long.
 */
function remaining(since: number): number {
  const passed = Date.now() - since;
  return passed < 0 ? 0 : Math.max(0, PAUSE_MS - passed);
}
