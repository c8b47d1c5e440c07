import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HostChannel } from "../../src/embed/HostChannel";

const HOST = "https://portal.example.com";

/** A page in a frame, whose host is the test. */
class FakeFrame {
  readonly parent = { postMessage: vi.fn() };
  readonly offers: Promise<string>[] = [];
  readonly channel: HostChannel;
  #listener: (event: MessageEvent) => void = () => {};

  constructor() {
    this.channel = new HostChannel(this);
    this.channel.on("token", () => this.offers.push(this.channel.getToken()));
  }

  addEventListener(_type: "message", listener: (event: MessageEvent) => void): void {
    this.#listener = listener;
  }

  hears(data: unknown, from: { readonly source?: unknown; readonly origin?: string } = {}): void {
    this.#listener({ data, source: this.parent, origin: HOST, ...from } as MessageEvent);
  }
}

const token = (token: unknown) => ({ type: "agent-gateway:token", token });

let frame: FakeFrame;

beforeEach(() => {
  vi.useFakeTimers();
  frame = new FakeFrame();
});

afterEach(() => {
  vi.useRealTimers();
});

it("says that it is ready each time a token is needed, and takes the answer", async () => {
  for (const answer of ["first", "second"]) {
    const asked = frame.channel.getToken();
    frame.hears(token(answer));
    expect(await asked).toBe(answer);
  }
  expect(frame.parent.postMessage.mock.calls).toEqual([
    [{ type: "agent-gateway:ready" }, "*"],
    [{ type: "agent-gateway:ready" }, HOST],
  ]);
});

it.each([
  ["another window", token("stolen"), { source: {} }],
  ["no window", token("stolen"), { source: null }],
  ["another protocol", { type: "token", token: "stolen" }, {}],
  ["a text", "agent-gateway:token", {}],
  ["nothing", null, {}],
])("does not listen to %s", async (_who, data, from) => {
  const asked = frame.channel.getToken();
  frame.hears(data, from);
  frame.hears(token("genuine"));
  expect(await asked).toBe("genuine");
  frame.hears(data, from);
  expect(frame.offers).toEqual([]);
});

it.each([null, "", undefined, 42, { token: "x" }])("fails at once when the host's token is %j", async (answer) => {
  const asked = frame.channel.getToken();
  frame.hears(token(answer));
  await expect(asked).rejects.toThrow("the host has no token");
});

it("fails after 20 seconds without an answer, and a late one is an offer", async () => {
  const failed = vi.fn();
  frame.channel.getToken().catch(failed);
  await vi.advanceTimersByTimeAsync(19_999);
  expect(failed).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(failed).toHaveBeenCalledOnce();
  frame.hears(token("late"));
  expect(await Promise.all(frame.offers)).toEqual(["late"]);
});

it("does not keep an offer that nobody wants", async () => {
  const wanted = new HostChannel(frame);
  frame.hears(token("old"));
  const asked = wanted.getToken();
  frame.hears(token("new"));
  expect(await asked).toBe("new");
});

it("gives up the first question when it is asked a second", async () => {
  const first = expect(frame.channel.getToken()).rejects.toThrow("asked again");
  const second = frame.channel.getToken();
  frame.hears(token("one"));
  await first;
  expect(await second).toBe("one");
});

describe("history", () => {
  const request = (signal = new AbortController().signal) => ({
    before: "m1",
    beforeTimestamp: "2026-03-01T12:00:00Z",
    limit: 50,
    signal,
    getToken: async () => "secret",
  });

  it("is asked of the host, which is told what is needed and no token", async () => {
    const asked = frame.channel.history(request());
    expect(frame.parent.postMessage.mock.calls).toEqual([
      [{ type: "agent-gateway:history", id: 1, before: "m1", beforeTimestamp: "2026-03-01T12:00:00Z", limit: 50 }, "*"],
    ]);
    const page = { messages: [], more: false };
    frame.hears({ type: "agent-gateway:history", id: 1, page });
    expect(await asked).toBe(page);
  });

  it("has each question answered by its own answer", async () => {
    const [first, second] = [frame.channel.history(request()), frame.channel.history(request())];
    frame.hears({ type: "agent-gateway:history", id: 2, page: null });
    frame.hears({ type: "agent-gateway:history", id: 1 });
    await expect(first).rejects.toThrow("the host's history has failed");
    expect(await second).toBeNull();
  });

  it("tells the host when nobody waits for it any more", () => {
    const controller = new AbortController();
    void frame.channel.history(request(controller.signal));
    controller.abort();
    expect(frame.parent.postMessage).toHaveBeenLastCalledWith({ type: "agent-gateway:history-abort", id: 1 }, "*");
  });
});

describe("events", () => {
  const unread = (count: number) => ({ type: "agent-gateway:unread", unread: count }) as const;

  it("wait until the host is known, and are then posted to its origin alone, of each type the newest", () => {
    frame.channel.tell(unread(1));
    frame.channel.tell(unread(2));
    expect(frame.parent.postMessage).not.toHaveBeenCalled();
    frame.hears(token("mine"));
    frame.channel.tell(unread(3));
    expect(frame.parent.postMessage.mock.calls).toEqual([
      [unread(2), HOST],
      [unread(3), HOST],
    ]);
  });
});

it("hears how the host wants it to look", () => {
  const heard = vi.fn();
  frame.channel.on("options", heard);
  frame.hears({ type: "agent-gateway:options", options: { theme: "dark" } });
  expect(heard).toHaveBeenCalledWith({ theme: "dark" });
});
