import { setTimeout as pause } from "node:timers/promises";

/**
 * Milliseconds after which a condition counts as never coming true. Thousands of messages take ten seconds on one core
 * that others use as well.
 */
export const DEADLINE_MS = 60_000;

const LOOK_AGAIN_MS = 10;

/** Waits until `condition` answers something true, and answers that. `what`, a text or a function, says what is missing. */
export async function until(what, condition) {
  const deadline = performance.now() + DEADLINE_MS;
  for (;;) {
    const met = await condition();
    if (met) return met;
    if (performance.now() > deadline) {
      throw new Error(`not within ${DEADLINE_MS} ms: ${typeof what === "function" ? what() : what}`);
    }
    await pause(LOOK_AGAIN_MS);
  }
}
