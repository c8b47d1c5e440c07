import { asRecord, asString } from "./fields";
import type { Context, GetHistory, HistoryState, HistoryTask } from "./History";
import type { Message } from "./Message";
import type { Merged, MessageLog } from "./MessageLog";
import { readStored } from "./readMessage";

/** How many messages a page is asked for. */
const LIMIT = 50;

/** A `history` that has not answered after this many milliseconds has failed: a request may hang for ever. */
const TIMEOUT_MS = 30_000;

/**
 * What was missed is asked for page by page, and so many at most. Whoever was away for more begins anew with what is the
 * newest, and reads the rest as older messages are read.
 */
const MAX_MISSED_PAGES = 20;

/** The callback has answered that there is nothing to ask. */
class NoStore extends Error {}

/** Receives what the history brings. */
export interface HistoryListener {
  state(state: HistoryState): void;
  merged(merged: Merged, task: HistoryTask): void;
  context(context: Context): void;
  failed(cause: unknown): void;
}

/** Where a page ends that older ones follow. */
type Edge = Pick<Message, "messageId" | "timestamp">;

interface Page {
  /** Oldest first, each once. */
  readonly messages: readonly Message[];
  readonly more: boolean;
}

/**
 * Asks the `history` callback for pages and merges them into the log. It does one thing at a time: what was missed goes
 * before what is older.
 */
export class HistoryReader {
  #ask: GetHistory | undefined;
  readonly #getToken: () => Promise<string>;
  readonly #log: MessageLog;
  readonly #listener: HistoryListener;
  #state: HistoryState = { name: "none" };
  #context: Context = {};
  #running: AbortController | undefined;
  /** The newest have come once. */
  #begun = false;
  #complete = false;
  /** The oldest message that has been asked for, which need not be one that is shown. */
  #oldest: Edge | undefined;
  #askedAt = -Infinity;

  constructor(
    ask: GetHistory | undefined,
    getToken: () => Promise<string>,
    log: MessageLog,
    listener: HistoryListener,
  ) {
    this.#ask = ask;
    this.#getToken = getToken;
    this.#log = log;
    this.#listener = listener;
  }

  get available(): boolean {
    return this.#ask !== undefined;
  }

  get state(): HistoryState {
    return this.#state;
  }

  get context(): Context {
    return this.#context;
  }

  /** Whether the newest have come, or are on their way. */
  get begun(): boolean {
    return this.#begun || this.#running !== undefined;
  }

  /** Milliseconds since the newest were asked for last: what came in between, the answer may lack. */
  get age(): number {
    return Math.abs(Date.now() - this.#askedAt);
  }

  /** Asks for the newest. */
  async start(): Promise<void> {
    await this.#run("start", (signal) => this.#readNewest(signal));
  }

  /** Asks for all that was missed since the oldest gap; answers whether it has come. */
  async fill(): Promise<boolean> {
    return this.#run("gap", (signal) => this.#readNewest(signal));
  }

  /** Asks for what is older than all that is known, or again for what failed. */
  async older(): Promise<void> {
    const { name } = this.#state;
    if (name === "loading" || name === "complete" || (name === "none" && !this.#ask)) return;
    if (name === "failed" && this.#log.gaps.length > 0) await this.fill();
    else if (!this.#begun) await this.start();
    else await this.#run("older", (signal) => this.#readOlder(signal));
  }

  /** The oldest messages have been forgotten. */
  forgotten(): void {
    if (!this.#begun) return;
    this.#complete = false;
    this.#oldest = this.#log.messages[0];
    if (this.#state.name === "complete") this.#enter({ name: "more" });
  }

  /** Waits for no answer any more. */
  abandon(): void {
    if (!this.#running) return;
    this.#running.abort();
    this.#running = undefined;
    this.#enter(this.#resting());
  }

  async #run(what: HistoryTask, read: (signal: AbortSignal) => Promise<Merged>): Promise<boolean> {
    if (!this.#ask) return false;
    this.#running?.abort();
    const controller = (this.#running = new AbortController());
    const begun = this.#begun;
    this.#enter({ name: "loading", what });
    try {
      const merged = await read(controller.signal);
      if (this.#running !== controller) return false;
      this.#running = undefined;
      this.#listener.merged(merged, begun ? what : "start");
      this.#enter(this.#resting());
      return true;
    } catch (cause) {
      if (this.#running !== controller) return false;
      this.#running = undefined;
      controller.abort();
      if (cause instanceof NoStore) {
        this.#ask = undefined;
        this.#enter({ name: "none" });
        return false;
      }
      this.#listener.failed(cause);
      this.#enter({ name: "failed", what });
      return false;
    }
  }

  /** The newest page, and those behind it that were missed. Nothing is merged before all have come. */
  async #readNewest(signal: AbortSignal): Promise<Merged> {
    this.#askedAt = Date.now();
    let page = await this.#page(undefined, signal);
    let messages = page.messages;
    for (let count = 1; page.more && !this.#joins(messages); count += 1) {
      if (count === MAX_MISSED_PAGES) {
        // All that is older comes back from where it is.
        this.#log.forget(this.#log.messages.length - this.#log.indexOf(this.#log.gaps.at(-1)?.after ?? "") - 1);
        this.#begun = false;
        break;
      }
      page = await this.#page(messages[0], signal);
      messages = [...page.messages, ...messages];
    }
    if (!page.more) this.#complete = true;
    if (!this.#begun) {
      this.#begun = true;
      this.#complete = !page.more;
      this.#oldest = messages[0] ?? this.#log.messages[0];
    }
    return this.#log.merge(messages);
  }

  /** Whether messages reach as far back as what was known before the oldest gap. */
  #joins([oldest, ...others]: readonly Message[]): boolean {
    const after = this.#log.gaps[0]?.after;
    if (after === undefined) return true;
    if (oldest === undefined) return false;
    const index = this.#log.indexOf(after);
    const known = this.#log.messages[index];
    if (known && Date.parse(oldest.timestamp) < Date.parse(known.timestamp)) return true;
    return [oldest, ...others].some(({ messageId }) => {
      const at = this.#log.indexOf(messageId);
      return at >= 0 && at <= index;
    });
  }

  async #readOlder(signal: AbortSignal): Promise<Merged> {
    const before = this.#oldest ?? this.#log.messages[0];
    const page = await this.#page(before, signal);
    this.#complete = !page.more;
    this.#oldest = page.messages[0] ?? before;
    return this.#log.merge(page.messages, before?.messageId);
  }

  async #page(before: Edge | undefined, signal: AbortSignal): Promise<Page> {
    const answer = await this.#answer(before, signal);
    signal.throwIfAborted();
    if (answer === null || answer === undefined) throw new NoStore();
    const page = readPage(answer);
    this.#learn(page.context);
    // There may be no such conversation.
    signal.throwIfAborted();
    if (page.unreadable > 0) {
      this.#listener.failed(new Error(`${page.unreadable} of its messages have no messageId or no timestamp`));
    }
    const [oldest] = page.messages;
    // Otherwise the same page would be asked for without end.
    if (page.more && (oldest === undefined || oldest.messageId === before?.messageId)) {
      throw new Error("it answered nothing older, and says that there is more");
    }
    return page;
  }

  /** Waits for the callback, but not for ever, and not when nobody waits any more. */
  #answer(before: Edge | undefined, signal: AbortSignal): Promise<unknown> {
    const edge = before && { before: before.messageId, beforeTimestamp: before.timestamp };
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)), TIMEOUT_MS);
      const aborted = (): void => settled(reject)(signal.reason);
      const settled =
        <Value>(settle: (value: Value) => void) =>
        (value: Value): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", aborted);
          settle(value);
        };
      signal.addEventListener("abort", aborted);
      // A callback that throws has failed as well.
      void (async () => this.#ask?.({ limit: LIMIT, signal, getToken: this.#getToken, ...edge }))().then(
        settled(resolve),
        settled(reject),
      );
    });
  }

  #learn(context: Context): void {
    const now = { ...this.#context, ...context };
    if (JSON.stringify(now) === JSON.stringify(this.#context)) return;
    this.#context = now;
    this.#listener.context(now);
  }

  #resting(): HistoryState {
    if (!this.#begun) return { name: "none" };
    return { name: this.#complete ? "complete" : "more" };
  }

  #enter(state: HistoryState): void {
    this.#state = state;
    this.#listener.state(state);
  }
}

/** Reads what `history` answered: a page, or only its messages. */
function readPage(answer: unknown): Page & { readonly context: Context; readonly unreadable: number } {
  const { messages: list = answer, more, context } = asRecord(answer);
  if (!Array.isArray(list)) throw new TypeError("it must answer { messages, more }");
  const read = list.map(readStored);
  const messages = new Map(read.flatMap((message) => (message ? [[message.messageId, message]] : [])));
  const unreadable = read.filter((message) => message === undefined).length;
  return {
    messages: oldestFirst([...messages.values()]),
    more: more === true,
    context: readContext(context),
    unreadable,
  };
}

/** A store may answer the newest first; of messages of one second only their order in the answer tells. */
function oldestFirst(messages: Message[]): readonly Message[] {
  const time = (message: Message | undefined): number => Date.parse(message?.timestamp ?? "");
  if (time(messages[0]) > time(messages.at(-1))) messages.reverse();
  return messages.sort((a, b) => time(a) - time(b));
}

function readContext(value: unknown): Context {
  const { title, customer, valid } = asRecord(value);
  const name = asString(customer) ?? asString(asRecord(customer).name);
  const called = asString(title);
  return {
    ...(called !== undefined && { title: called }),
    ...(name !== undefined && { customer: name }),
    ...(typeof valid === "boolean" && { valid }),
  };
}
