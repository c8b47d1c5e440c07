import { Emitter } from "../client/Emitter";
import type { HistoryContext } from "../embed/EmbedOptions";
import type { HistoryMessage, HistoryPage } from "../client/History";
import type { Diary } from "./Diary";
import type { Onlooker } from "./Onlooker";
import { AGENT_TEXTS, CUSTOMER, CUSTOMER_TEXTS } from "./samples";

/** How the portal's history service is doing. */
export const HISTORY_MODES = ["none", "answers", "slow", "fails"] as const;
export type HistoryMode = (typeof HISTORY_MODES)[number];

/** How many messages there are from the days before. */
const PAST = 180;

/** They are so many milliseconds apart. */
const APART_MS = 37 * 60_000;

/** What a slow service takes, in milliseconds. */
const SLOW_MS = 3000;

/** The history service beside the playground: what was written in the days before, and what the page has read since. */
export class PastStore {
  readonly #diary: Diary;
  readonly #onlooker: Onlooker;
  readonly #emitter = new Emitter<{ change: [] }>();
  readonly #past: readonly HistoryMessage[];
  #mode: HistoryMode = "none";

  constructor(diary: Diary, onlooker: Onlooker) {
    this.#diary = diary;
    this.#onlooker = onlooker;
    const now = Date.now();
    this.#past = Array.from({ length: PAST }, (_, index) => {
      const direction = index % 3 === 2 ? "out" : "in";
      const texts = direction === "in" ? CUSTOMER_TEXTS : AGENT_TEXTS;
      return {
        messageId: `past-${index + 1}`,
        direction,
        text: texts[index % texts.length] ?? "",
        timestamp: new Date(now - (PAST - index + 2) * APART_MS).toISOString(),
        ...(direction === "in" ? { from: CUSTOMER, fromName: "Maria Lopes" } : { fromName: "Ada", status: "read" }),
      };
    });
  }

  get mode(): HistoryMode {
    return this.#mode;
  }

  set mode(mode: HistoryMode) {
    this.#mode = mode;
    this.#diary.write("host", `the history service ${WORDS[mode]}`);
    this.#emitter.emit("change");
  }

  on(name: "change", listener: () => void): () => void {
    return this.#emitter.on(name, listener);
  }

  /** Answers a page, as the portal's service would. */
  async page({ before, limit, dataset }: HistoryContext): Promise<HistoryPage> {
    const asked = `history for ${dataset.agent ?? "a widget"}${before === undefined ? "" : ` before ${before}`}`;
    if (this.#mode === "slow") await new Promise((resolve) => setTimeout(resolve, SLOW_MS));
    if (this.#mode === "fails") {
      this.#diary.write("host", `${asked}: failed`);
      throw new Error("the history service is down");
    }
    const all: HistoryMessage[] = [...this.#past, ...this.#onlooker.messages.map((message) => ({ ...message }))];
    const found = before === undefined ? all.length : all.findIndex(({ messageId }) => messageId === before);
    const end = Math.max(0, found);
    const first = Math.max(0, end - limit);
    this.#diary.write("host", `${asked}: ${end - first} messages`);
    return { messages: all.slice(first, end), more: first > 0, context: { customer: "Maria Lopes" } };
  }
}

const WORDS: Record<HistoryMode, string> = {
  none: "is not there",
  answers: "answers",
  slow: "is slow",
  fails: "fails",
};
