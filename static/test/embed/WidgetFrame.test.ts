// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Embedded } from "../../src/embed/AgentGateway";
import type { EmbedOptions, GetHistory, GetToken } from "../../src/embed/EmbedOptions";
import { WidgetFrame, type HostFunctions } from "../../src/embed/WidgetFrame";

const GATEWAY = new URL("https://gateway.example.com/realtime/");
const PLACE = { tenantId: "acme", conversationId: "c1" };

let reported: ReturnType<typeof vi.fn>;

beforeEach(() => {
  reported = vi.fn();
  vi.stubGlobal("reportError", reported);
});

afterEach(() => {
  vi.unstubAllGlobals();
  document.body.replaceChildren();
});

/** A widget in this page, with what is posted to it in place of the gateway's page in it. */
function embed(options: Partial<EmbedOptions> = {}, host: Partial<HostFunctions> = {}) {
  const frame: Embedded = new WidgetFrame(
    GATEWAY,
    { ...PLACE, ...options },
    { getToken: async () => undefined, history: async () => undefined, mayHaveHistory: false, ...host },
  );
  document.body.append(frame.iframe);
  const target = frame.iframe.contentWindow!;
  const posted = vi.spyOn(target, "postMessage").mockImplementation(() => {});
  const says = (data: unknown, from: { source?: unknown; origin?: string } = {}): void => {
    window.dispatchEvent(
      new MessageEvent("message", { data, source: target, origin: GATEWAY.origin, ...from } as object),
    );
  };
  /** What was posted last, once it has been. */
  const answer = (): Promise<unknown> =>
    vi.waitFor(() => {
      expect(posted).toHaveBeenCalled();
      return posted.mock.calls.at(-1);
    });
  return { frame, posted, says, answer, query: new URL(frame.iframe.src).searchParams };
}

describe("the address", () => {
  it("is below the gateway's, and says what to show and how", () => {
    const { frame, query } = embed({ title: "Sam", lang: "de", theme: "dark", header: false });
    expect(frame.iframe.src).toMatch(/^https:\/\/gateway\.example\.com\/realtime\/widget\?/);
    expect(Object.fromEntries(query)).toEqual({ ...PLACE, title: "Sam", lang: "de", theme: "dark", header: "false" });
    expect(frame.iframe.title).toBe("Sam");
  });

  it("says nothing of what is as usual", () => {
    const { frame, query } = embed({ theme: "auto", header: true });
    expect(Object.fromEntries(query)).toEqual(PLACE);
    expect(frame.iframe.title).toBe("Conversation c1");
  });

  it.each<[string, Partial<EmbedOptions>, Partial<HostFunctions>]>([
    ["of this widget", { history: async () => ({ messages: [], more: false }) }, {}],
    ["that the page may have", {}, { mayHaveHistory: true }],
  ])("says that there is a history %s", (_whose, options, host) => {
    expect(embed(options, host).query.get("history")).toBe("host");
  });
});

it.each([
  ["another window", { source: window }],
  ["another page in the frame", { origin: "https://evil.example" }],
])("does not listen to %s", async (_who, from) => {
  const getToken = vi.fn<GetToken>(() => "secret");
  const { says, posted } = embed({ getToken });
  says({ type: "agent-gateway:ready" }, from);
  await Promise.resolve();
  expect(getToken).not.toHaveBeenCalled();
  expect(posted).not.toHaveBeenCalled();
});

it("answers with the widget's own function, or with the page's, and says to whom", async () => {
  const pages = vi.fn<GetToken>(() => "the page's");
  const { says, answer, frame } = embed({ dataset: { agent: "ada" } }, { getToken: async () => pages });
  says({ type: "agent-gateway:ready" });
  expect(await answer()).toEqual([{ type: "agent-gateway:token", token: "the page's" }, GATEWAY.origin]);
  expect(pages).toHaveBeenCalledWith({ ...PLACE, dataset: { agent: "ada" }, reason: "initial" });
  const own = vi.fn<GetToken>(() => "its own");
  frame.update({ getToken: own });
  says({ type: "agent-gateway:ready" });
  await vi.waitFor(async () =>
    expect(await answer()).toEqual([{ type: "agent-gateway:token", token: "its own" }, GATEWAY.origin]),
  );
  expect(own).toHaveBeenCalledWith({ ...PLACE, dataset: { agent: "ada" }, reason: "refresh" });
});

describe("history", () => {
  const question = {
    type: "agent-gateway:history",
    id: 7,
    before: "m1",
    beforeTimestamp: "2026-03-01T12:00:00Z",
    limit: 50,
  };

  it("is handed on, and its answer posted", async () => {
    const page = { messages: [], more: true, context: { customer: "Sam" } };
    const history = vi.fn<GetHistory>(async () => page);
    const { says, answer } = embed({ history });
    says(question);
    expect(await answer()).toEqual([{ type: "agent-gateway:history", id: 7, page }, GATEWAY.origin]);
    const [context] = history.mock.calls[0]!;
    expect(context).toMatchObject({
      ...PLACE,
      dataset: {},
      before: "m1",
      beforeTimestamp: "2026-03-01T12:00:00Z",
      limit: 50,
    });
    expect(context.signal.aborted).toBe(false);
  });

  it("is null where there is none", async () => {
    const { says, answer } = embed();
    says(question);
    expect(await answer()).toEqual([{ type: "agent-gateway:history", id: 7, page: null }, GATEWAY.origin]);
  });

  it("that fails is reported in the host's page, and the widget hears that it has", async () => {
    const { says, answer } = embed({ history: () => Promise.reject(new Error("503")) });
    says(question);
    expect(await answer()).toEqual([{ type: "agent-gateway:history", id: 7 }, GATEWAY.origin]);
    expect(reported).toHaveBeenCalledWith(new Error("agent-gateway: history failed"));
  });

  it.each(["aborted by the widget", "unmounted"])("is told when it is %s", (how) => {
    let signal: AbortSignal | undefined;
    const { says, frame, posted } = embed({
      history: (context) => {
        signal = context.signal;
        return new Promise(() => {});
      },
    });
    says(question);
    expect(signal?.aborted).toBe(false);
    if (how === "unmounted") frame.unmount();
    else says({ type: "agent-gateway:history-abort", id: 7 });
    expect(signal?.aborted).toBe(true);
    expect(posted).not.toHaveBeenCalled();
  });
});

it("tells the host of what happens, by listeners and as DOM events that bubble", () => {
  const { says, frame } = embed();
  const heard: unknown[] = [];
  const stop = frame.on("unread", (count) => heard.push(count));
  frame.on("message", (message, origin) => heard.push([message.messageId, origin]));
  document.body.addEventListener("agent-gateway:state", (event) => heard.push((event as CustomEvent<unknown>).detail));
  says({ type: "agent-gateway:unread", unread: 3 });
  says({ type: "agent-gateway:message", message: { messageId: "m1" }, origin: "live" });
  says({ type: "agent-gateway:state", state: { name: "live" } });
  stop();
  says({ type: "agent-gateway:unread", unread: 4 });
  expect(heard).toEqual([3, ["m1", "live"], { name: "live" }]);
});

it("changes what is named and no more", () => {
  const { frame, posted, says } = embed({ title: "Sam", height: 300 });
  says({ type: "agent-gateway:state", state: { name: "connecting", attempt: 1 } });
  frame.update({ theme: "dark", height: "50vh" });
  expect(frame.iframe.title).toBe("Sam");
  expect(frame.iframe.style.height).toBe("50vh");
  expect(posted).toHaveBeenCalledWith({ type: "agent-gateway:options", options: { theme: "dark" } }, GATEWAY.origin);
  frame.update({ title: "Alex" });
  expect(frame.iframe.title).toBe("Alex");
});

it("keeps changes until the page is there, and says them again when it has been loaded anew", () => {
  const { frame, posted, says } = embed({ theme: "dark", getToken: () => "secret" });
  frame.update({ theme: "light" });
  frame.update({ title: "Alex" });
  expect(posted).not.toHaveBeenCalled();
  for (const times of [1, 2]) {
    says({ type: "agent-gateway:ready" });
    const options = { type: "agent-gateway:options", options: { theme: "light", title: "Alex" } };
    expect(posted.mock.calls.filter(([message]) => JSON.stringify(message) === JSON.stringify(options))).toHaveLength(
      times,
    );
  }
});
