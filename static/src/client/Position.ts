import type { Meta } from "./wire";

/** Replayed events that are still to come, and the cursor that counts once they have. */
interface Replay {
  readonly cursor: string;
  /** Unknown after a `reset` event, which announces a window but not its length. */
  remaining: number | undefined;
}

/**
 * Where this client stands in the conversation. The cursor never runs ahead of what has been received: a
 * connection that breaks in the middle of a replay resumes in the middle.
 */
export class Position {
  #cursor: string | undefined;
  #replay: Replay | undefined;

  /** Give this back to the gateway to resume; undefined before the first join. */
  get cursor(): string | undefined {
    return this.#cursor;
  }

  get catchingUp(): boolean {
    return this.#replay !== undefined;
  }

  /** The end of the running replay can only be guessed. */
  get openEnded(): boolean {
    return this.#replay !== undefined && this.#replay.remaining === undefined;
  }

  joined(cursor: string, replaying: number): void {
    if (replaying > 0) {
      this.#replay = { cursor, remaining: replaying };
    } else {
      this.#cursor = cursor;
      this.#replay = undefined;
    }
  }

  reset(cursor: string): void {
    this.#replay = { cursor, remaining: undefined };
  }

  /** An event has been received, of whatever name. */
  passed(meta: Meta): void {
    this.#cursor = meta.cursor;
    const replay = this.#replay;
    if (replay === undefined) return;
    if (replay.remaining === undefined) {
      if (meta.cursor === replay.cursor || !meta.replayed) this.#replay = undefined;
    } else if (--replay.remaining === 0) {
      this.#cursor = replay.cursor;
      this.#replay = undefined;
    }
  }

  /**
   * Nothing more of an open-ended replay seems to come, as after a reset to an empty window. The announced cursor
   * is left alone: if the guess is wrong, the next join says so instead of losing events.
   */
  endReplay(): void {
    this.#replay = undefined;
  }
}
