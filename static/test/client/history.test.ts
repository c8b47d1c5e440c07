import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { HistoryMessage, HistoryPage, HistoryRequest } from "../../src/client/History";
import type { Message } from "../../src/client/Message";
import { FakeGateway, pass, settle, type FakeSocket } from "./FakeGateway";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** A message of a minute of the day; its id tells it. */
function stored(minute: number, more: Partial<HistoryMessage> = {}): HistoryMessage {
  return { messageId: `m${minute}`, direction: "in", text: `m${minute}`, timestamp: timeOf(minute), ...more };
}

function timeOf(minute: number): string {
  return new Date(Date.UTC(2026, 2, 1, 12, minute)).toISOString();
}

const minutes = (first: number, last: number): HistoryMessage[] =>
  Array.from({ length: last - first + 1 }, (_, index) => stored(first + index));

/** A history whose answers the test gives, one by one. */
class FakeHistory {
  readonly requests: HistoryRequest[] = [];
  #answers: { resolve: (page: HistoryPage | null) => void; reject: (error: Error) => void }[] = [];

  readonly ask = (request: HistoryRequest): Promise<HistoryPage | null> => {
    this.requests.push(request);
    return new Promise((resolve, reject) => this.#answers.push({ resolve, reject }));
  };

  async answer(messages: HistoryMessage[], more = false, context?: HistoryPage["context"]): Promise<void> {
    this.#answers.at(-1)?.resolve({ messages, more, ...(context && { context }) });
    await settle();
  }

  async hasNone(): Promise<void> {
    this.#answers.at(-1)?.resolve(null);
    await settle();
  }

  async fail(): Promise<void> {
    this.#answers.at(-1)?.reject(new Error("503"));
    await settle();
  }

  /** What the last question was. */
  get asked(): { before: string | undefined; limit: number } | undefined {
    const request = this.requests.at(-1);
    return request && { before: request.before, limit: request.limit };
  }
}

let history: FakeHistory;
let gateway: FakeGateway;

beforeEach(() => {
  history = new FakeHistory();
  gateway = new FakeGateway({ history: history.ask });
});

const ids = (): string[] => gateway.conversation.messages.map(({ messageId }) => messageId);

function events(name: string): unknown[][] {
  return gateway
    .said(name)
    .map(([what, ...rest]) => [
      Array.isArray(what) ? what.map(({ messageId }: Message) => messageId) : (what as Message).messageId,
      ...rest,
    ]);
}

/** Has the gateway send a message of a minute. */
function receive(socket: FakeSocket, minute: number, replayed = false): void {
  const { messageId, text, timestamp } = stored(minute);
  socket.receive("inbound_message", { messageId, type: "text", text, timestamp }, { cursor: `c${minute}`, replayed });
}

async function cut(joined: Parameters<FakeSocket["join"]>[0]): Promise<FakeSocket> {
  gateway.socket.drop();
  await pass(1000);
  gateway.socket.join(joined);
  await settle();
  return gateway.socket;
}

describe("at the start", () => {
  it("is asked beside the connect, and comes as one event that is no news", async () => {
    gateway.conversation.connect();
    await settle();
    expect(history.asked).toEqual({ before: undefined, limit: 50 });
    expect(gateway.conversation.history).toEqual({ name: "loading", what: "start" });
    await history.answer([stored(2), stored(1)], true);
    expect(ids()).toEqual(["m1", "m2"]);
    expect(events("messages")).toEqual([[["m1", "m2"], "history", 0]]);
    expect(gateway.conversation.history).toEqual({ name: "more" });
  });

  it.each(["history first", "window first"])("joins the window without a gap or a repeat: %s", async (order) => {
    const socket = await gateway.joined({ replaying: 4 });
    const window = () => [3, 4, 5, 6].forEach((minute) => receive(socket, minute, true));
    if (order === "window first") window();
    // The store has not heard of 4 and of 6 yet.
    await history.answer([stored(1), stored(2), stored(3), stored(5)], false);
    if (order === "history first") window();
    receive(socket, 7);
    expect(ids()).toEqual(["m1", "m2", "m3", "m4", "m5", "m6", "m7"]);
    expect(events("message").filter(([, , news]) => news)).toEqual([["m7", "live", true]]);
  });

  it("joins the window that is on its way when the answer comes", async () => {
    const socket = await gateway.joined({ replaying: 4 });
    receive(socket, 4, true);
    await history.answer([stored(1), stored(2), stored(4), stored(5)], false);
    // Out of the order of their times: the window's own order counts.
    for (const minute of [6, 3, 5]) receive(socket, minute, true);
    expect(ids()).toEqual(["m1", "m2", "m4", "m6", "m3", "m5"]);
  });

  it("puts what has the same time between its neighbours in the store", async () => {
    const now = timeOf(5);
    const socket = await gateway.joined();
    socket.receive("inbound_message", { messageId: "b", timestamp: now }, { cursor: "b" });
    socket.receive("inbound_message", { messageId: "d", timestamp: now }, { cursor: "d" });
    await history.answer(
      ["a", "b", "c", "d", "e"].map((messageId) => ({ messageId, direction: "out", timestamp: now })),
    );
    expect(ids()).toEqual(["a", "b", "c", "d", "e"]);
  });

  it("is asked again for a join that came so late that the two may not meet", async () => {
    gateway.conversation.connect();
    await settle();
    await history.answer(minutes(1, 3), true);
    gateway.socket.refuse("Service unavailable");
    await pass(11_000);
    gateway.socket.join({ replaying: 1 });
    receive(gateway.socket, 9, true);
    expect(history.requests).toHaveLength(2);
    await history.answer(minutes(3, 9), true);
    expect(ids()).toEqual(minutes(1, 9).map(({ messageId }) => messageId));
    expect(gateway.conversation.gaps).toEqual([]);
  });

  it("may turn out to be none", async () => {
    await gateway.joined();
    await history.hasNone();
    expect(gateway.conversation.history).toEqual({ name: "none" });
    gateway.conversation.loadOlder();
    await cut({ resume: "reset" });
    expect(history.requests).toHaveLength(1);
    expect(gateway.conversation.gaps).toEqual([{ reason: "cursor not in the window", filled: false }]);
  });

  it("is asked again after the next join when it failed, and by loadOlder", async () => {
    await gateway.joined();
    await history.fail();
    expect(gateway.conversation.history).toEqual({ name: "failed", what: "start" });
    expect(gateway.said("error")).toEqual([[new Error("history failed")]]);
    await cut({ resume: "resumed" });
    expect(gateway.conversation.history).toEqual({ name: "loading", what: "start" });
    await history.fail();
    gateway.conversation.loadOlder();
    await history.answer(minutes(1, 2));
    expect(ids()).toEqual(["m1", "m2"]);
    expect(gateway.conversation.history).toEqual({ name: "complete" });
  });

  it("fails after 30 seconds of silence, and tells the callback", async () => {
    await gateway.joined();
    await pass(29_999);
    expect(history.requests[0]?.signal.aborted).toBe(false);
    await pass(1);
    expect(gateway.conversation.history).toEqual({ name: "failed", what: "start" });
    expect(history.requests[0]?.signal.aborted).toBe(true);
    await history.answer(minutes(1, 2));
    expect(ids()).toEqual([]);
  });

  it("hands on the conversation's token, which is asked for once", async () => {
    gateway.conversation.connect();
    expect(await history.requests[0]?.getToken()).toBe("token-1");
    expect(gateway.getToken).toHaveBeenCalledOnce();
  });

  it("is waited for no more after close, and asked again after connect", async () => {
    await gateway.joined();
    gateway.conversation.close();
    expect(history.requests[0]?.signal.aborted).toBe(true);
    expect(gateway.conversation.history).toEqual({ name: "none" });
    await history.answer(minutes(1, 2));
    expect(ids()).toEqual([]);
    gateway.conversation.connect();
    expect(history.requests).toHaveLength(2);
  });

  it("leaves out what has no id or no time, and says so", async () => {
    await gateway.joined();
    await history.answer([stored(1), { direction: "in" } as HistoryMessage, stored(2, { timestamp: "soon" })]);
    expect(ids()).toEqual(["m1"]);
    expect(gateway.said("error")).toMatchObject([
      [{ message: "history failed", cause: { message: /^2 of its messages/ } }],
    ]);
  });

  it.each([["a text"], [42], [{ messages: "none" }]])("fails on an answer such as %j", async (answer) => {
    const odd = new FakeGateway({ history: async () => answer as never });
    await odd.joined();
    await settle();
    expect(odd.conversation.history).toEqual({ name: "failed", what: "start" });
  });
});

describe("what is older", () => {
  it("is asked for before the oldest of the last page, until there is no more", async () => {
    await gateway.joined();
    await history.answer(minutes(5, 7), true);
    gateway.conversation.loadOlder();
    gateway.conversation.loadOlder();
    expect(history.requests).toHaveLength(2);
    expect(history.requests[1]).toMatchObject({ before: "m5", beforeTimestamp: timeOf(5) });
    await history.answer(minutes(3, 4), true);
    gateway.conversation.loadOlder();
    await history.answer(minutes(1, 2));
    gateway.conversation.loadOlder();
    expect(history.requests.map(({ before }) => before)).toEqual([undefined, "m5", "m3"]);
    expect(ids()).toEqual(minutes(1, 7).map(({ messageId }) => messageId));
    expect(events("messages").slice(1)).toEqual([
      [["m3", "m4"], "history", 0],
      [["m1", "m2"], "history", 0],
    ]);
    expect(gateway.conversation.history).toEqual({ name: "complete" });
  });

  it("stands above a message of the same time", async () => {
    await gateway.joined();
    await history.answer([stored(5)], true);
    gateway.conversation.loadOlder();
    await history.answer([stored(5, { messageId: "a" }), stored(5, { messageId: "b" })]);
    expect(ids()).toEqual(["a", "b", "m5"]);
  });

  it("is put among a window that reaches further back than the first page", async () => {
    const socket = await gateway.joined({ replaying: 3 });
    [2, 4, 6].forEach((minute) => receive(socket, minute, true));
    await history.answer(minutes(5, 6), true);
    gateway.conversation.loadOlder();
    await history.answer(minutes(1, 4));
    expect(ids()).toEqual(minutes(1, 6).map(({ messageId }) => messageId));
  });

  it("fails where the same page comes again, and where there is said to be more of nothing", async () => {
    await gateway.joined();
    await history.answer(minutes(5, 7), true);
    for (const page of [minutes(5, 7), []]) {
      gateway.conversation.loadOlder();
      await history.answer(page, true);
      expect(gateway.conversation.history).toEqual({ name: "failed", what: "older" });
    }
  });

  it("comes back after it has been forgotten, with the gaps gone that were in it", async () => {
    await gateway.joined();
    await history.answer(minutes(1, 7));
    gateway.conversation.forgetOlder(3);
    expect(ids()).toEqual(["m5", "m6", "m7"]);
    expect(gateway.conversation.history).toEqual({ name: "more" });
    gateway.conversation.loadOlder();
    expect(history.asked?.before).toBe("m5");
    await history.answer(minutes(1, 4));
    expect(ids()).toEqual(minutes(1, 7).map(({ messageId }) => messageId));
  });

  it("is not forgotten where nothing can bring it back", async () => {
    const bare = new FakeGateway();
    const socket = await bare.joined();
    [1, 2, 3].forEach((minute) => receive(socket, minute));
    bare.conversation.forgetOlder(1);
    expect(bare.conversation.messages).toHaveLength(3);
  });
});

describe("what was missed", () => {
  async function begun(): Promise<FakeSocket> {
    const socket = await gateway.joined();
    await history.answer(minutes(1, 3), true);
    return socket;
  }

  it("is asked for page by page until it meets what is known, and is news", async () => {
    await begun();
    await cut({ resume: "reset", replaying: 1 });
    receive(gateway.socket, 9, true);
    await history.answer(minutes(7, 8), true);
    expect(history.asked?.before).toBe("m7");
    expect(ids()).toEqual(["m1", "m2", "m3", "m9"]);
    await history.answer(minutes(5, 6), true);
    await history.answer(minutes(3, 4), true);
    expect(ids()).toEqual(minutes(1, 9).map(({ messageId }) => messageId));
    expect(events("messages").slice(1)).toEqual([[["m4", "m5", "m6", "m7", "m8"], "history", 5]]);
    expect(events("message")).toEqual([["m9", "replay", true]]);
    expect(gateway.said("reset")).toEqual([[{ reason: "cursor not in the window", filled: true }]]);
    expect(gateway.conversation.gaps).toEqual([]);
    expect(gateway.conversation.history).toEqual({ name: "more" });
  });

  it("counts as news only what is newer than what was known", async () => {
    await begun();
    await cut({ resume: "reset" });
    await history.answer([stored(0), ...minutes(2, 5)], true);
    expect(events("messages").slice(1)).toEqual([[["m0", "m4", "m5"], "history", 2]]);
  });

  it("leaves a gap at its place when it fails, which loadOlder fills", async () => {
    await begun();
    await cut({ resume: "reset" });
    await history.fail();
    receive(gateway.socket, 9);
    const gap = { reason: "cursor not in the window", filled: false, after: "m3" };
    expect(gateway.said("reset")).toEqual([[gap]]);
    expect(gateway.conversation.gaps).toEqual([gap]);
    gateway.conversation.loadOlder();
    await history.answer(minutes(1, 9), true);
    expect(gateway.conversation.gaps).toEqual([]);
    expect(ids()).toEqual(minutes(1, 9).map(({ messageId }) => messageId));
    expect(gateway.said("reset").at(-1)).toEqual([{ reason: "cursor not in the window", filled: true }]);
  });

  it("goes before what is older, and a second reset before the first", async () => {
    await begun();
    gateway.conversation.loadOlder();
    gateway.socket.receive("reset", { cursor: "c9", reason: "too slow" });
    expect(history.requests[1]?.signal.aborted).toBe(true);
    gateway.socket.receive("reset", { cursor: "c10", reason: "too slow again" });
    expect(history.requests[2]?.signal.aborted).toBe(true);
    await history.answer(minutes(3, 10), true);
    expect(gateway.said("reset")).toEqual([
      [{ reason: "too slow", filled: true }],
      [{ reason: "too slow again", filled: true }],
    ]);
    expect(ids()).toEqual(minutes(1, 10).map(({ messageId }) => messageId));
  });

  it("begins anew with the newest when it is more than twenty pages", async () => {
    await begun();
    await cut({ resume: "reset" });
    for (let page = 0; page < 20; page += 1) await history.answer(minutes(1000 - page * 2 - 1, 1000 - page * 2), true);
    expect(ids()).toEqual(minutes(961, 1000).map(({ messageId }) => messageId));
    expect(gateway.conversation.history).toEqual({ name: "more" });
    expect(gateway.said("reset")).toMatchObject([[{ filled: true }]]);
    gateway.conversation.loadOlder();
    expect(history.asked?.before).toBe("m961");
  });

  it("is not asked for after a join that resumed, and what is replayed then is news", async () => {
    await begun();
    await cut({ resume: "resumed", replaying: 1 });
    receive(gateway.socket, 4, true);
    expect(history.requests).toHaveLength(1);
    expect(events("message")).toEqual([["m4", "replay", true]]);
  });
});

describe("the context", () => {
  it("is told when it changes", async () => {
    const told = vi.fn();
    gateway.conversation.on("context", told);
    await gateway.joined();
    await history.answer(minutes(5, 6), true, { title: "Order 7", customer: "Sam Taylor", valid: true });
    gateway.conversation.loadOlder();
    await history.answer(minutes(3, 4), true, { title: "Order 7" });
    expect(told.mock.calls).toEqual([[{ title: "Order 7", customer: "Sam Taylor", valid: true }]]);
    expect(gateway.conversation.context.customer).toBe("Sam Taylor");
  });

  it("stops a conversation that there is not, until somebody tries again", async () => {
    await gateway.joined();
    await history.answer(minutes(1, 2), false, { valid: false });
    expect(gateway.conversation.state).toEqual({ name: "stopped", why: "no-such-conversation" });
    expect(gateway.socket.open).toBe(false);
    expect(ids()).toEqual([]);
    gateway.conversation.retryNow();
    await settle();
    gateway.socket.join();
    await history.answer(minutes(1, 2), false, { valid: true });
    expect(gateway.conversation.state).toEqual({ name: "live" });
    expect(ids()).toEqual(["m1", "m2"]);
  });
});
