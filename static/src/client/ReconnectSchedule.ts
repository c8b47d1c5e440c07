/** Milliseconds before the first, second and every later try. */
const DELAYS_MS = [1000, 2000, 5000] as const;

/** Each delay is spread this far both ways, so that a restarted gateway is not met by all agents at once. */
const JITTER = 0.5;

/** When to try again: 1 s, 2 s, 5 s, and then every 5 s. */
export class ReconnectSchedule {
  readonly #random: () => number;
  #failures = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Tries that have failed since the last join. */
  get failures(): number {
    return this.#failures;
  }

  /** Counts a failure and answers how many milliseconds to wait. */
  next(): number {
    const delay = DELAYS_MS[this.#failures] ?? DELAYS_MS[2];
    this.#failures += 1;
    return delay * (1 - JITTER + 2 * JITTER * this.#random());
  }

  reset(): void {
    this.#failures = 0;
  }
}
