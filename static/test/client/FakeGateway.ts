import { Conversation } from "../../src/client/Conversation";
import type { ConversationOptions } from "../../src/client/ConversationOptions";
import type { ConversationState } from "../../src/client/ConversationState";
import type { RefreshAnswer, Socket, SocketTarget } from "../../src/client/openSocket";
import type { Joined } from "../../src/client/wire";
import { vi } from "vitest";

/** A socket whose gateway is the test. */
export class FakeSocket implements Socket {
  readonly target: SocketTarget;
  readonly sent: { payload: { token: string }; answer: (answer: RefreshAnswer) => void }[] = [];
  open = true;
  #refused: (error: Error) => void = () => {};
  #dropped: (reason: string) => void = () => {};
  #received: (event: string, ...args: unknown[]) => void = () => {};

  constructor(target: SocketTarget) {
    this.target = target;
  }

  on(event: "connect_error" | "disconnect", listener: (argument: never) => void): void {
    if (event === "connect_error") this.#refused = listener as (error: Error) => void;
    else this.#dropped = listener as (reason: string) => void;
  }

  onAny(listener: (event: string, ...args: unknown[]) => void): void {
    this.#received = listener;
  }

  emit(_event: "refresh_token", payload: { token: string }, answer: (answer: RefreshAnswer) => void): void {
    this.sent.push({ payload, answer });
  }

  disconnect(): void {
    this.open = false;
  }

  refuse(message: string): void {
    this.#refused(new Error(message));
  }

  /** Has the transport fail for an answer to one of its requests, as Socket.IO tells of it. */
  fail(message: string, status: number, responseText: string): void {
    this.#refused(Object.assign(new Error(message), { description: status, context: { responseText } }));
  }

  drop(reason = "transport close"): void {
    this.#dropped(reason);
  }

  join(joined: Partial<Joined> = {}): void {
    this.#received("joined", {
      tenantId: "acme",
      conversationId: "c1",
      cursor: "at-join",
      resume: "fresh",
      replaying: 0,
      agent: { id: "ana" },
      expiresAt: "2026-03-01T13:00:00Z",
      ...joined,
    });
  }

  receive(event: string, payload: object, meta?: { cursor: string; replayed?: boolean }): void {
    this.#received(event, payload, meta && { at: "2026-03-01T12:00:00Z", ...meta });
  }

  inbound(messageId: string, cursor = `after-${messageId}`, replayed?: boolean): void {
    const payload = { messageId, text: messageId, timestamp: "2026-03-01T12:00:00Z" };
    this.receive("inbound_message", payload, { cursor, ...(replayed && { replayed }) });
  }

  status(messageId: string, status: string, extra: object = {}): void {
    const payload = { messageId, status, timestamp: "2026-03-01T12:00:01Z", ...extra };
    this.receive("status_update", payload, { cursor: `after-${messageId}-${status}` });
  }
}

/** A conversation over fake sockets, and a record of all it says. */
export class FakeGateway {
  readonly sockets: FakeSocket[] = [];
  readonly states: ConversationState[] = [];
  readonly heard: unknown[][] = [];
  readonly getToken = vi.fn<() => string | Promise<string>>(() => "token-1");
  readonly conversation: Conversation;
  /** 0.5 is no jitter; 0 and 1 are its bounds. */
  chance = 0.5;

  constructor(options: Partial<ConversationOptions> = {}) {
    this.conversation = new Conversation(
      { url: "http://gateway.test", tenantId: "acme", conversationId: "c1", getToken: this.getToken, ...options },
      {
        openSocket: (target) => {
          const socket = new FakeSocket(target);
          this.sockets.push(socket);
          return socket;
        },
        random: () => this.chance,
      },
    );
    this.conversation.on("state", (state) => this.states.push(state));
    for (const name of ["message", "messages", "change", "status", "reset", "event", "error"] as const) {
      this.conversation.on(name, (...args: unknown[]) => this.heard.push([name, ...args]));
    }
  }

  /** The socket of the latest try. */
  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error("no socket was opened");
    return socket;
  }

  /** Connects and has the gateway accept. */
  async joined(joined: Partial<Joined> = {}): Promise<FakeSocket> {
    this.conversation.connect();
    await settle();
    this.socket.join(joined);
    return this.socket;
  }

  /** What was said under this name, without the name. */
  said(name: string): unknown[][] {
    return this.heard.filter(([heard]) => heard === name).map(([, ...args]) => args);
  }
}

/** Lets promises run, and no time pass. */
export async function settle(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0);
}

/** Lets this many milliseconds pass. */
export async function pass(ms: number): Promise<void> {
  await vi.advanceTimersByTimeAsync(ms);
}
