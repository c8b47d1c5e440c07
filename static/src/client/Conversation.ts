import type { ConversationEvents, Gap } from "./ConversationEvents";
import type { ConversationInternals, ConversationOptions } from "./ConversationOptions";
import type { ConversationState, OfflineReason, StopReason } from "./ConversationState";
import { Credentials } from "./Credentials";
import { Emitter } from "./Emitter";
import type { Context, HistoryState } from "./History";
import type { Message } from "./Message";
import { openSocket, type OpenSocket, type Socket } from "./openSocket";
import { Position } from "./Position";
import { readEndpoint } from "./readEndpoint";
import { readMessage, readStatus } from "./readMessage";
import { UnusableToken } from "./readToken";
import { ReconnectSchedule } from "./ReconnectSchedule";
import { Thread } from "./Thread";
import { judgeDisconnect, judgeRefusal, type Refusal } from "./verdict";
import type { Agent, Joined, Meta, Reset } from "./wire";

/** A try that has not brought a join after this many milliseconds is given up. */
const JOIN_TIMEOUT_MS = 15_000;

/** A `getToken` that has not answered after this many milliseconds has failed: a request may hang for ever. */
const TOKEN_TIMEOUT_MS = 30_000;

/** After a `reset`, silence of this many milliseconds means that the window has come, or was empty. */
const SETTLE_MS = 3_000;

/**
 * One WhatsApp conversation, live. It connects, reconnects, resumes where it stood, keeps the token fresh and
 * gives each message once, in order. Every try has a socket of its own; what an abandoned one still says is
 * ignored.
 */
export class Conversation {
  readonly #options: ConversationOptions;
  readonly #openSocket: OpenSocket;
  readonly #emitter = new Emitter<ConversationEvents>();
  readonly #thread: Thread;
  readonly #position = new Position();
  readonly #schedule: ReconnectSchedule;
  readonly #credentials: Credentials;
  #state: ConversationState = { name: "stopped", why: "closed" };
  #agent: Agent | undefined;
  #socket: Socket | undefined;
  /** Names the current try. Whatever waits remembers the number it started under and is void under another. */
  #attempt = 0;
  /** The state's timer: the next try while offline, the timeout while connecting, silence while catching up. */
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
    this.#thread = new Thread(this.#emitter, {
      history: options.history,
      getToken: () => this.#credentials.current(),
      fail: (message, cause) => this.#fail(message, cause),
      refuse: () => this.#stop("no-such-conversation"),
    });
  }

  get state(): ConversationState {
    return this.#state;
  }

  /** The messages known, oldest first. The array grows as messages come: copy it to keep it. */
  get messages(): readonly Message[] {
    return this.#thread.messages;
  }

  /** Places where messages may be missing, the oldest first. */
  get gaps(): readonly Gap[] {
    return this.#thread.gaps;
  }

  /** How far back the messages are known. */
  get history(): HistoryState {
    return this.#thread.history;
  }

  /** What the history says of the conversation as a whole. */
  get context(): Context {
    return this.#thread.context;
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
    this.#thread.start();
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
    this.#thread.loadOlder();
  }

  /** Forgets the oldest messages beyond so many, if `history` can bring them back. */
  forgetOlder(keep: number): void {
    this.#thread.forgetOlder(keep);
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
        this.#thread.take(readMessage("in", data, meta), meta);
        break;
      case "outbound_message":
        this.#thread.take(readMessage("out", data, meta), meta);
        break;
      case "status_update":
        this.#thread.apply(readStatus(data, meta));
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
    this.#thread.joined(resume);
    // Whoever hears of the state may end the connection; then nothing more is asked for.
    const complete = this.#current(() => this.#thread.complete(resume));
    this.#settled();
    complete();
  }

  #reset({ cursor, reason }: Reset): void {
    this.#position.reset(cursor);
    const tear = this.#current(() => this.#thread.tear(reason));
    this.#settled();
    tear();
  }

  /** Says whether everything missed has come, and watches for the end of a window that has none. */
  #settled(): void {
    const name = this.#position.catchingUp ? "catching-up" : "live";
    clearTimeout(this.#timer);
    if (this.#position.openEnded) {
      this.#after(SETTLE_MS, () => {
        this.#position.endReplay();
        this.#live();
      });
    }
    if (this.#state.name === name) return;
    if (name === "live") this.#live();
    else this.#enter({ name });
  }

  #live(): void {
    this.#thread.live();
    this.#enter({ name: "live" });
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
    this.#thread.abandon();
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
