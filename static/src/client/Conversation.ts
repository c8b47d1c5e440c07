import type { ConversationEvents, Gap } from "./ConversationEvents";
import type { ConversationState, OfflineReason, StopReason } from "./ConversationState";
import { Credentials } from "./Credentials";
import { Emitter } from "./Emitter";
import type { GetToken } from "./GetToken";
import type { Context, GetHistory, HistoryState, HistoryTask } from "./History";
import { HistoryReader } from "./HistoryReader";
import type { Message, StatusUpdate } from "./Message";
import { MessageLog, type Merged, type OpenGap } from "./MessageLog";
import { openSocket, type OpenSocket, type Socket } from "./openSocket";
import { Position } from "./Position";
import { readEndpoint } from "./readEndpoint";
import { readMessage, readStatus } from "./readMessage";
import { UnusableToken } from "./readToken";
import { ReconnectSchedule } from "./ReconnectSchedule";
import { judgeDisconnect, judgeRefusal, type Refusal } from "./verdict";
import type { Agent, Joined, Meta, Reset } from "./wire";

/** A try that has not brought a join after this many milliseconds is given up. */
const JOIN_TIMEOUT_MS = 15_000;

/** A `getToken` that has not answered after this many milliseconds has failed: a request may hang for ever. */
const TOKEN_TIMEOUT_MS = 30_000;

/** After a `reset`, silence of this many milliseconds means that the window has come, or was empty. */
const SETTLE_MS = 3_000;

/** A first window that comes so many milliseconds after the history was asked may not reach back to its answer. */
const HISTORY_AGE_MS = 10_000;

/** What a conversation is and how to get to it. */
export interface ConversationOptions {
  /**
   * The gateway's address, such as `https://gateway.example.com`, or `https://portal.example.com/realtime` where a proxy
   * has it below a path; in a page it may be relative to it.
   */
  readonly url: string;
  readonly tenantId: string;
  readonly conversationId: string;
  readonly getToken: GetToken;
  /**
   * Answers messages from the portal's store. It is asked at the start, when the gateway cannot replay all that was
   * missed, and by `loadOlder()`.
   */
  readonly history?: GetHistory;
}

/**
 * What tests put in place of the network and of chance.
 *
 * @internal
 */
export interface ConversationInternals {
  readonly openSocket: OpenSocket;
  readonly random: () => number;
}

/**
 * One WhatsApp conversation, live. It connects, reconnects, resumes where it stood, keeps the token fresh and
 * gives each message once, in order. Every try has a socket of its own; what an abandoned one still says is
 * ignored.
 */
export class Conversation {
  readonly #options: ConversationOptions;
  readonly #openSocket: OpenSocket;
  readonly #emitter = new Emitter<ConversationEvents>();
  readonly #log = new MessageLog();
  readonly #position = new Position();
  readonly #schedule: ReconnectSchedule;
  readonly #credentials: Credentials;
  readonly #history: HistoryReader;
  /** Gaps that the history has not filled and will not without being asked again. */
  readonly #reported = new Set<OpenGap>();
  /** Has been live: what comes from now on has happened since. */
  #begun = false;
  /** A first window is coming, of which the history may have brought a part. */
  #inOrder = false;
  #state: ConversationState = { name: "stopped", why: "closed" };
  #agent: Agent | undefined;
  #socket: Socket | undefined;
  /** Names the current try. Whatever waits remembers the number it started under and is void under another. */
  #attempt = 0;
  /** The state's timer: the next try while offline, patience while connecting, silence while catching up. */
  #timer: ReturnType<typeof setTimeout> | undefined;
  #refreshTimer: ReturnType<typeof setTimeout> | undefined;
  #pollingFirst = false;

  /** @throws {TypeError} when `url` is no such address */
  constructor(options: ConversationOptions);
  /** @internal */
  constructor(options: ConversationOptions, internals: Partial<ConversationInternals>);
  constructor(options: ConversationOptions, internals: Partial<ConversationInternals> = {}) {
    readEndpoint(options.url);
    this.#options = options;
    this.#openSocket = internals.openSocket ?? openSocket;
    this.#schedule = new ReconnectSchedule(internals.random ?? Math.random);
    this.#credentials = new Credentials(() => options.getToken());
    this.#history = new HistoryReader(options.history, () => this.#credentials.current(), this.#log, {
      state: (state) => this.#emitter.emit("history", state),
      merged: (merged, task) => this.#merged(merged, task),
      context: (context) => this.#learned(context),
      failed: (cause) => this.#fail("history failed", cause),
    });
  }

  get state(): ConversationState {
    return this.#state;
  }

  /** The messages known, oldest first. The array grows as messages come: copy it to keep it. */
  get messages(): readonly Message[] {
    return this.#log.messages;
  }

  /** Places where messages may be missing, the oldest first. */
  get gaps(): readonly Gap[] {
    return this.#log.gaps.filter((gap) => this.#reported.has(gap)).map((gap) => told(gap, false));
  }

  /** How far back the messages are known. */
  get history(): HistoryState {
    return this.#history.state;
  }

  /** What the history says of the conversation as a whole. */
  get context(): Context {
    return this.#history.context;
  }

  /** Who the gateway says is reading; undefined before the first join. */
  get agent(): Agent | undefined {
    return this.#agent;
  }

  /** Listens to an event and answers a function that stops listening. */
  on<Name extends keyof ConversationEvents>(
    name: Name,
    listener: (...args: ConversationEvents[Name]) => void,
  ): () => void {
    return this.#emitter.on(name, listener);
  }

  /** Connects and stays connected until `close()` or a refusal that trying again cannot change. */
  connect(): void {
    if (this.#state.name !== "stopped") return;
    this.#credentials.forget();
    this.#schedule.reset();
    globalThis.window?.addEventListener("online", this.#whenOnline);
    this.#try();
    if (!this.#history.begun) void this.#history.start();
  }

  /** Disconnects and stays so; `messages` remain. */
  close(): void {
    if (this.#state.name === "stopped" && this.#state.why === "closed") return;
    this.#stop("closed");
  }

  /** Ends a wait for the next try, or takes up again what was stopped by anything but `close()`. */
  retryNow(): void {
    if (this.#state.name === "offline") this.#try();
    else if (this.#state.name === "stopped" && this.#state.why !== "closed") this.connect();
  }

  /** Asks `history` for messages older than all that are known; where it has failed, for what it was asked then. */
  loadOlder(): void {
    if (this.#history.state.name === "failed" && this.#log.gaps.length > 0) void this.#fill();
    else void this.#history.older();
  }

  /** Forgets the oldest messages beyond so many, if `history` can bring them back. */
  forgetOlder(keep: number): void {
    if (!this.#history.available || this.#log.messages.length <= keep) return;
    this.#log.forget(keep);
    this.#history.forgotten();
  }

  readonly #whenOnline = (): void => {
    if (this.#state.name === "offline") this.#try();
  };

  #try(): void {
    this.#abandon();
    this.#openWith(this.#credentials.current(), "token-unavailable");
  }

  /** Connects with a token once it is there; stops, and says why, when there is none to be had. */
  #openWith(token: Promise<string | undefined>, otherwise: StopReason): void {
    const failed = this.#current((cause: unknown) => {
      // Whoever hears of the error may decide what is next; then that counts.
      const why = otherwise === "token-unavailable" && cause instanceof UnusableToken ? "token-unusable" : otherwise;
      const stop = this.#current(() => this.#stop(why));
      this.#fail("getToken failed", cause);
      stop();
    });
    this.#after(TOKEN_TIMEOUT_MS, () => failed(new Error(`no answer within ${TOKEN_TIMEOUT_MS / 1000} s`)));
    token.then(
      this.#current((known) => (known === undefined ? this.#stop(otherwise) : this.#open(known))),
      failed,
    );
    this.#enter({ name: "connecting", attempt: this.#schedule.failures + 1 });
  }

  #open(token: string): void {
    const { url, tenantId, conversationId } = this.#options;
    const { cursor } = this.#position;
    const socket = this.#openSocket({ url, tenantId, conversationId, token, cursor, pollingFirst: this.#pollingFirst });
    this.#socket = socket;
    this.#after(JOIN_TIMEOUT_MS, () => {
      this.#pollingFirst = !this.#pollingFirst;
      this.#retryLater("timeout");
    });
    socket.on(
      "connect_error",
      this.#current((refusal) => this.#refused(refusal)),
    );
    socket.on(
      "disconnect",
      this.#current((reason) => this.#retryLater(judgeDisconnect(reason))),
    );
    socket.onAny(this.#current((name, data, meta) => this.#received(name, data, meta as Meta)));
  }

  #refused(refusal: Refusal): void {
    const verdict = judgeRefusal(refusal);
    if (verdict.then === "stop") this.#stop(verdict.why);
    else if (verdict.then === "renew") this.#replaceToken();
    else this.#retryLater(verdict.reason);
  }

  #received(name: string, data: unknown, meta: Meta): void {
    switch (name) {
      case "joined":
        return this.#joined(data as Joined);
      case "reset":
        return this.#reset(data as Reset);
      case "token_expiring":
        return this.#refreshToken();
      case "token_expired":
        return this.#replaceToken();
      case "inbound_message":
        this.#message(readMessage("in", data, meta), meta);
        break;
      case "outbound_message":
        this.#message(readMessage("out", data, meta), meta);
        break;
      case "status_update":
        this.#status(readStatus(data, meta));
        break;
      default:
        this.#emitter.emit("event", name, data, meta);
    }
    this.#position.passed(meta);
    if (this.#state.name === "catching-up") this.#settled();
  }

  #joined({ cursor, replaying, resume, agent }: Joined): void {
    this.#schedule.reset();
    this.#credentials.proven();
    this.#agent = agent;
    this.#position.joined(cursor, replaying);
    this.#log.endReplay();
    this.#inOrder = resume === "fresh" && this.#history.available;
    this.#settled();
    if (resume === "reset") this.#openGap("cursor not in the window");
    else if (resume === "fresh" && this.#history.begun && this.#history.age > HISTORY_AGE_MS)
      this.#openGap("joined late");
    else if (this.#history.state.name === "failed") this.loadOlder();
  }

  #reset({ cursor, reason }: Reset): void {
    this.#position.reset(cursor);
    this.#settled();
    this.#openGap(reason);
  }

  /** Says whether everything missed has come, and watches for the end of a window that has none. */
  #settled(): void {
    const name = this.#position.catchingUp ? "catching-up" : "live";
    clearTimeout(this.#timer);
    if (this.#position.openEnded) {
      this.#after(SETTLE_MS, () => {
        this.#position.settle();
        this.#live();
      });
    }
    if (this.#state.name === name) return;
    if (name === "live") this.#live();
    else this.#enter({ name });
  }

  #live(): void {
    this.#begun = true;
    this.#inOrder = false;
    this.#log.endReplay();
    this.#enter({ name: "live" });
  }

  #message(message: Message, meta: Meta): void {
    const news = this.#begun || !meta.replayed;
    const changed = this.#log.change(message);
    if (changed) return this.#emitter.emit("change", changed, message, news);
    const added = meta.replayed && this.#inOrder ? this.#log.replay(message) : this.#log.append(message);
    if (added) this.#emitter.emit("message", added, meta.replayed ? "replay" : "live", news);
  }

  #status(update: StatusUpdate | undefined): void {
    if (update && this.#log.apply(update)) this.#emitter.emit("status", update);
  }

  /** Messages may be missing behind the last one: says so, unless the history fills the place. */
  #openGap(reason: string): void {
    const gap = this.#log.openGap(reason);
    if (this.#history.available) return void this.#fill();
    this.#reported.add(gap);
    this.#emitter.emit("reset", told(gap, false));
  }

  async #fill(): Promise<void> {
    const gaps = [...this.#log.gaps];
    const filled = await this.#history.fill();
    if (filled) this.#reported.clear();
    // What has been opened since is waited for by whoever opened it.
    else if (this.#history.state.name === "loading") return;
    for (const gap of gaps) {
      if (!filled) this.#reported.add(gap);
      this.#emitter.emit("reset", told(gap, filled));
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

  #learned(context: Context): void {
    this.#emitter.emit("context", context);
    if (context.valid === false) this.#stop("no-such-conversation");
  }

  /** Renews, over the connection that stands, a token that is about to expire. */
  #refreshToken(): void {
    clearTimeout(this.#refreshTimer);
    const renew = async (): Promise<void> => {
      const socket = this.#socket;
      const token = await this.#credentials.renew();
      if (token === undefined || socket !== this.#socket) return;
      socket?.emit("refresh_token", { token }, (answer) => {
        if (!answer.ok) this.#fail(`refresh_token was refused: ${answer.error}`);
      });
    };
    this.#refreshTimer = setTimeout(() => {
      renew().catch((cause: unknown) => this.#fail("getToken failed", cause));
    }, this.#credentials.pause);
  }

  /** Asks for another token in place of an expired one and connects with it; stops when there is none. */
  #replaceToken(): void {
    if (!this.#credentials.mayReplace()) return this.#stop("token-expired");
    this.#abandon();
    this.#openWith(this.#credentials.renew(), "token-expired");
  }

  #retryLater(reason: OfflineReason): void {
    this.#abandon();
    const delay = this.#schedule.next();
    this.#after(delay, () => this.#try());
    this.#enter({ name: "offline", reason, nextTryAt: Date.now() + delay });
  }

  #stop(why: StopReason): void {
    this.#abandon();
    globalThis.window?.removeEventListener("online", this.#whenOnline);
    this.#history.abandon();
    this.#enter({ name: "stopped", why });
  }

  /** Leaves the current try behind: its socket is closed, and its timers and listeners are void. */
  #abandon(): void {
    this.#attempt += 1;
    clearTimeout(this.#timer);
    clearTimeout(this.#refreshTimer);
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.disconnect();
  }

  /** Always the last thing done, timer included: a listener may call `close()` or `retryNow()`. */
  #enter(state: ConversationState): void {
    this.#state = state;
    this.#emitter.emit("state", state);
  }

  #after(ms: number, run: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(run, ms);
  }

  /** Wraps a callback so that it runs only as long as the current try is the current one. */
  #current<Args extends unknown[]>(run: (...args: Args) => void): (...args: Args) => void {
    const attempt = this.#attempt;
    return (...args) => {
      if (attempt === this.#attempt) run(...args);
    };
  }

  #fail(message: string, cause?: unknown): void {
    this.#emitter.emit("error", new Error(message, { cause }));
  }
}

function told({ reason, after }: OpenGap, filled: boolean): Gap {
  return { reason, filled, ...(!filled && after !== undefined && { after }) };
}
