import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { Ancestors } from "../../src/widget/Ancestors";
import { HostToken } from "../../src/widget/HostToken";

const HOST = "https://portal.example.com";

/** A page in a frame, whose host is the test. */
class FakeFrame {
  readonly parent = { postMessage: vi.fn() };
  readonly offers: Promise<string>[] = [];
  readonly token: HostToken;
  #listener: (event: MessageEvent) => void = () => {};

  constructor() {
    const ancestors = new Ancestors(`'self' ${HOST}`, "https://gateway.example.com");
    this.token = new HostToken(this as never, ancestors, () => this.offers.push(this.token.get()));
  }

  addEventListener(_type: "message", listener: (event: MessageEvent) => void): void {
    this.#listener = listener;
  }

  hears(data: unknown, { source = this.parent as unknown, origin = HOST } = {}): void {
    this.#listener({ data, source, origin } as MessageEvent);
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
    const asked = frame.token.get();
    frame.hears(token(answer));
    expect(await asked).toBe(answer);
  }
  expect(frame.parent.postMessage.mock.calls).toEqual([
    [{ type: "agent-gateway:ready" }, "*"],
    [{ type: "agent-gateway:ready" }, "*"],
  ]);
});

it.each([
  ["another window", token("stolen"), { source: {} }],
  ["no window", token("stolen"), { source: null }],
  ["another origin", token("stolen"), { origin: "https://evil.example" }],
  ["an origin that looks alike", token("stolen"), { origin: `${HOST}.evil.example` }],
  ["a sandboxed page", token("stolen"), { origin: "null" }],
  ["another protocol", { type: "token", token: "stolen" }, {}],
  ["a text", "agent-gateway:token", {}],
  ["nothing", null, {}],
])("does not listen to %s", async (_who, data, from) => {
  const asked = frame.token.get();
  frame.hears(data, from);
  frame.hears(token("genuine"));
  expect(await asked).toBe("genuine");
  frame.hears(data, from);
  expect(frame.offers).toEqual([]);
});

it.each([null, "", undefined, 42, { token: "x" }])("fails at once when the host's token is %j", async (answer) => {
  const asked = frame.token.get();
  frame.hears(token(answer));
  await expect(asked).rejects.toThrow("the host has no token");
});

it("fails after 20 seconds without an answer, and a late one is an offer", async () => {
  const failed = vi.fn();
  frame.token.get().catch(failed);
  await vi.advanceTimersByTimeAsync(19_999);
  expect(failed).not.toHaveBeenCalled();
  await vi.advanceTimersByTimeAsync(1);
  expect(failed).toHaveBeenCalledOnce();
  frame.hears(token("late"));
  expect(await Promise.all(frame.offers)).toEqual(["late"]);
});

it("does not keep an offer that nobody wants", async () => {
  const wanted = new HostToken(frame as never, new Ancestors(HOST, HOST), () => {});
  frame.hears(token("old"));
  const asked = wanted.get();
  frame.hears(token("new"));
  expect(await asked).toBe("new");
});

it("gives up the first question when it is asked a second", async () => {
  const first = expect(frame.token.get()).rejects.toThrow("asked again");
  const second = frame.token.get();
  frame.hears(token("one"));
  await first;
  expect(await second).toBe("one");
});
