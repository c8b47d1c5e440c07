import type { ConversationEvents, Gap } from "./ConversationEvents";
import type { Emitter } from "./Emitter";
import type { Context, GetHistory, HistoryState, HistoryTask } from "./History";
import { HistoryReader } from "./HistoryReader";
import type { Message, StatusUpdate } from "./Message";
import { MessageLog, type Merged, type OpenGap } from "./MessageLog";
import type { Joined, Meta } from "./wire";

/** A first window that comes so many milliseconds after the history was asked may not reach back to its answer. */
const HISTORY_AGE_MS = 10_000;

/** What a thread needs of the conversation that it is in. */
export interface ThreadOptions {
  readonly history: GetHistory | undefined;
  readonly getToken: () => Promise<string>;
  readonly fail: (message: string, cause: unknown) => void;
  /** The history says that there is no such conversation. */
  readonly refuse: () => void;
}

/**
 * The messages of a conversation, wherever they come from: what is live, the gateway's window, and the history. It joins
 * them, says what has changed, and where something may be missing.
 */
export class Thread {
  readonly #emitter: Emitter<ConversationEvents>;
  readonly #log = new MessageLog();
  readonly #history: HistoryReader;
  /** Gaps that the history has not filled and will not without being asked again. */
  readonly #reported = new Set<OpenGap>();
  /** Has been live: what comes from now on has happened since. */
  #begun = false;
  /** A first window is coming, of which the history may have brought a part. */
  #inOrder = false;

  constructor(emitter: Emitter<ConversationEvents>, { history, getToken, fail, refuse }: ThreadOptions) {
    this.#emitter = emitter;
    this.#history = new HistoryReader(history, getToken, this.#log, {
      state: (state) => emitter.emit("history", state),
      merged: (merged, task) => this.#merged(merged, task),
      context: (context) => {
        emitter.emit("context", context);
        if (context.valid === false) refuse();
      },
      failed: (cause) => fail("history failed", cause),
    });
  }

  get messages(): readonly Message[] {
    return this.#log.messages;
  }

  get gaps(): readonly Gap[] {
    return this.#log.gaps.filter((gap) => this.#reported.has(gap)).map((gap) => toGap(gap, false));
  }

  get history(): HistoryState {
    return this.#history.state;
  }

  get context(): Context {
    return this.#history.context;
  }

  /** Asks for the newest of the history, unless they have come. */
  start(): void {
    if (!this.#history.begun) void this.#history.start();
  }

  /** Waits for no answer any more. */
  abandon(): void {
    this.#history.abandon();
  }

  loadOlder(): void {
    if (this.#history.state.name === "failed" && this.#log.gaps.length > 0) void this.#fill();
    else void this.#history.older();
  }

  forgetOlder(keep: number): void {
    if (!this.#history.available || this.#log.messages.length <= keep) return;
    this.#log.forget(keep);
    this.#history.forgotten();
  }

  /** A window is about to come. */
  joined(resume: Joined["resume"]): void {
    this.#log.endReplay();
    this.#inOrder = resume === "fresh" && this.#history.available;
  }

  /** Whether what is missing after a join is there, or has to be asked for. */
  complete(resume: Joined["resume"]): void {
    const late = this.#history.begun && this.#history.age > HISTORY_AGE_MS;
    if (resume === "reset") this.tear("cursor not in the window");
    else if (resume === "fresh" && late) this.tear("joined late");
    else if (this.#history.state.name === "failed") this.loadOlder();
  }

  /** The window has come, if there was one. */
  live(): void {
    this.#begun = true;
    this.#inOrder = false;
    this.#log.endReplay();
  }

  take(message: Message, { replayed }: Meta): void {
    const news = this.#begun || !replayed;
    const changed = this.#log.change(message);
    if (changed) return this.#emitter.emit("change", changed, message, news);
    const added = replayed && this.#inOrder ? this.#log.replay(message) : this.#log.append(message);
    if (added) this.#emitter.emit("message", added, replayed ? "replay" : "live", news);
  }

  apply(update: StatusUpdate | undefined): void {
    if (update && this.#log.apply(update)) this.#emitter.emit("status", update);
  }

  /** Messages may be missing behind the last one: says so, unless the history fills the place. */
  tear(reason: string): void {
    const gap = this.#log.openGap(reason);
    if (this.#history.available) return void this.#fill();
    this.#reported.add(gap);
    this.#emitter.emit("reset", toGap(gap, false));
  }

  async #fill(): Promise<void> {
    const gaps = [...this.#log.gaps];
    const filled = await this.#history.fill();
    if (filled) this.#reported.clear();
    // What has been opened since is waited for by whoever opened it.
    else if (this.#history.state.name === "loading") return;
    for (const gap of gaps) {
      if (!filled) this.#reported.add(gap);
      this.#emitter.emit("reset", toGap(gap, filled));
    }
  }

  /** What the history has brought is in the log. */
  #merged({ added, changed, statuses }: Merged, task: HistoryTask): void {
    const missed = task === "gap" && this.#begun;
    const news = missed ? added.length - this.#olderThan(this.#log.gaps[0]?.after, added) : 0;
    if (task !== "older") this.#log.closeGaps();
    if (added.length > 0) this.#emitter.emit("messages", added, "history", news);
    for (const [message, cause] of changed) this.#emitter.emit("change", message, cause, missed);
    for (const update of statuses) this.#emitter.emit("status", update);
  }

  /** How many of these, which are in the order of the log, stand above a message. */
  #olderThan(messageId: string | undefined, messages: readonly Message[]): number {
    if (messageId === undefined) return 0;
    const index = this.#log.indexOf(messageId);
    const above = new Set(this.#log.messages.slice(0, index).map((message) => message.messageId));
    return messages.filter((message) => above.has(message.messageId)).length;
  }
}

function toGap({ reason, after }: OpenGap, filled: boolean): Gap {
  return { reason, filled, ...(!filled && after !== undefined && { after }) };
}
