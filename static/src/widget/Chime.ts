/** Two notes, falling: their frequencies in Hz, and when they begin, in seconds. */
const NOTES = [
  { frequency: 880, start: 0 },
  { frequency: 660, start: 0.12 },
] as const;

/** How long a note sounds, in seconds, and how loud it is at its beginning, 1 being all that the device has. */
const LENGTH = 0.35;
const VOLUME = 0.12;

/** Messages that come within so many milliseconds of each other ring once. */
const PAUSE_MS = 1500;

/** A short sound, made of nothing but two oscillators. A browser lets it be heard after the agent's first gesture. */
export class Chime {
  #context: AudioContext | undefined;
  #rungAt = -Infinity;

  /** To be made once there has been a gesture. */
  constructor() {
    this.allow();
  }

  /** To be called in a gesture where a browser wants that: from then on it can ring. */
  allow(): void {
    try {
      this.#context ??= new AudioContext();
      void this.#context.resume();
    } catch {
      // A device without sound stays silent.
    }
  }

  ring(): void {
    const context = this.#context;
    if (context?.state !== "running" || performance.now() - this.#rungAt < PAUSE_MS) return;
    this.#rungAt = performance.now();
    for (const { frequency, start } of NOTES) {
      const at = context.currentTime + start;
      const volume = new GainNode(context, { gain: 0 });
      volume.gain.setValueAtTime(VOLUME, at);
      volume.gain.exponentialRampToValueAtTime(0.001, at + LENGTH);
      const note = new OscillatorNode(context, { frequency });
      note.connect(volume).connect(context.destination);
      note.start(at);
      note.stop(at + LENGTH);
    }
  }
}
