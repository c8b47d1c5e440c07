import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeGateway, pass, settle } from "./FakeGateway";

let gateway: FakeGateway;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("window", new EventTarget());
  gateway = new FakeGateway();
});

afterEach(() => {
  gateway.conversation.close();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe("connecting", () => {
  it("does nothing before connect is called", async () => {
    await pass(60_000);
    expect(gateway.sockets).toHaveLength(0);
    expect(gateway.conversation.state).toEqual({ name: "stopped", why: "closed" });
  });

  it("brings the conversation and the token along, and no cursor the first time", async () => {
    gateway.conversation.connect();
    await settle();
    expect(gateway.socket.target).toEqual({
      url: "http://gateway.test",
      tenantId: "acme",
      conversationId: "c1",
      token: "token-1",
      cursor: undefined,
      pollingFirst: false,
    });
  });

  it("is connecting until joined has come, and live after it", async () => {
    await gateway.joined({ agent: { id: "ana", name: "Ana" } });
    expect(gateway.states).toEqual([{ name: "connecting", attempt: 1 }, { name: "live" }]);
    expect(gateway.conversation.agent).toEqual({ id: "ana", name: "Ana" });
  });

  it("opens one socket however often connect is called", async () => {
    await gateway.joined();
    gateway.conversation.connect();
    await settle();
    expect(gateway.sockets).toHaveLength(1);
  });

  it("stops when getToken fails, and says why", async () => {
    gateway.getToken.mockRejectedValue(new Error("signed out"));
    gateway.conversation.connect();
    await settle();
    expect(gateway.conversation.state).toEqual({ name: "stopped", why: "token-unavailable" });
    expect(gateway.said("error")).toEqual([[new Error("getToken failed")]]);
    expect(gateway.sockets).toHaveLength(0);
  });

  it.each(["", " \n", null])("stops when getToken answers %j, which is nothing", async (answer) => {
    gateway.getToken.mockResolvedValue(answer as string);
    gateway.conversation.connect();
    await settle();
    expect(gateway.conversation.state).toEqual({ name: "stopped", why: "token-unavailable" });
    expect(gateway.sockets).toHaveLength(0);
  });

  it("stops when getToken answers what is no token, and says what it is", async () => {
    gateway.getToken.mockResolvedValue("<!doctype html><title>Sign in</title>");
    gateway.conversation.connect();
    await settle();
    expect(gateway.conversation.state).toEqual({ name: "stopped", why: "token-unusable" });
    const [[error]] = gateway.said("error") as [[Error]];
    expect(error).toMatchObject({
      message: "getToken failed",
      cause: { message: expect.stringContaining("an HTML page") as string },
    });
    expect(gateway.sockets).toHaveLength(0);
    gateway.getToken.mockResolvedValue("token-1");
    gateway.conversation.retryNow();
    await settle();
    expect(gateway.socket.target.token).toBe("token-1");
  });

  it("takes white space and a JSON string's quotation marks off the token", async () => {
    gateway.getToken.mockResolvedValue('"eyJh.eyJz.c2ln"\n');
    gateway.conversation.connect();
    await settle();
    expect(gateway.socket.target.token).toBe("eyJh.eyJz.c2ln");
  });

  it("stops when getToken does not answer within 30 seconds, and hears no answer after that", async () => {
    let answer = (_token: string) => {};
    gateway.getToken.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    gateway.conversation.connect();
    await pass(29_999);
    expect(gateway.conversation.state).toEqual({ name: "connecting", attempt: 1 });
    await pass(1);
    expect(gateway.conversation.state).toEqual({ name: "stopped", why: "token-unavailable" });
    expect(gateway.said("error")).toEqual([[new Error("getToken failed")]]);
    answer("too late");
    await settle();
    expect(gateway.sockets).toHaveLength(0);
  });

  it("leaves what is next to whoever hears that getToken failed", async () => {
    gateway.getToken.mockRejectedValue(new Error("signed out"));
    gateway.conversation.on("error", () => gateway.conversation.close());
    gateway.conversation.connect();
    await settle();
    expect(gateway.conversation.state).toEqual({ name: "stopped", why: "closed" });
  });

  it("is not given a token that was asked for before the one in use", async () => {
    let answer = (_token: string) => {};
    gateway.getToken.mockReturnValueOnce(new Promise((resolve) => (answer = resolve))).mockReturnValue("newer");
    gateway.conversation.connect();
    gateway.conversation.close();
    await gateway.joined();
    answer("older");
    await settle();
    gateway.socket.drop();
    await pass(1000);
    expect(gateway.socket.target.token).toBe("newer");
  });
});

describe("the schedule", () => {
  it("tries again after 1, 2 and 5 seconds and then every 5", async () => {
    gateway.conversation.connect();
    await settle();
    for (const [tries, delay] of [1000, 2000, 5000, 5000, 5000].entries()) {
      gateway.socket.refuse("websocket error");
      expect(gateway.conversation.state).toEqual({
        name: "offline",
        reason: "unreachable",
        nextTryAt: Date.now() + delay,
      });
      await pass(delay - 1);
      expect(gateway.sockets).toHaveLength(tries + 1);
      await pass(1);
      expect(gateway.sockets).toHaveLength(tries + 2);
      expect(gateway.conversation.state).toEqual({ name: "connecting", attempt: tries + 2 });
    }
  });

  it.each([
    [0, 500],
    [1, 1500],
  ])("spreads each delay by half of it: chance %d waits %d ms", async (chance, delay) => {
    gateway.chance = chance;
    gateway.conversation.connect();
    await settle();
    gateway.socket.refuse("websocket error");
    await pass(delay - 1);
    expect(gateway.sockets).toHaveLength(1);
    await pass(1);
    expect(gateway.sockets).toHaveLength(2);
  });

  it("begins anew once joined has come", async () => {
    gateway.conversation.connect();
    await settle();
    gateway.socket.refuse("websocket error");
    await pass(1000);
    gateway.socket.refuse("websocket error");
    await pass(2000);
    gateway.socket.join();
    gateway.socket.drop();
    await pass(999);
    expect(gateway.sockets).toHaveLength(3);
    await pass(1);
    expect(gateway.sockets).toHaveLength(4);
  });

  it("does not begin anew for a connection that brought no joined", async () => {
    gateway.conversation.connect();
    await settle();
    gateway.socket.refuse("websocket error");
    await pass(1000);
    gateway.socket.drop();
    expect(gateway.conversation.state).toMatchObject({ name: "offline", nextTryAt: Date.now() + 2000 });
  });

  it("gives up a try that brings no joined within 15 seconds, and begins the next with polling", async () => {
    gateway.conversation.connect();
    await pass(14_999);
    expect(gateway.socket.open).toBe(true);
    await pass(1);
    expect(gateway.socket.open).toBe(false);
    expect(gateway.conversation.state).toMatchObject({ name: "offline", reason: "timeout" });
    await pass(1000);
    expect(gateway.socket.target.pollingFirst).toBe(true);
  });

  it("leaves a connection alone that joined in time", async () => {
    const socket = await gateway.joined();
    await pass(120_000);
    expect(socket.open).toBe(true);
    expect(gateway.sockets).toHaveLength(1);
  });
});

describe("an answer of the gateway or the network", () => {
  it.each([
    ["Authentication required", "authentication-required"],
    ["Invalid token", "invalid-token"],
    ["Forbidden", "forbidden"],
    ["Invalid conversation", "invalid-conversation"],
  ])("stops for good on %s", async (message, why) => {
    gateway.conversation.connect();
    await settle();
    gateway.socket.refuse(message);
    expect(gateway.conversation.state).toEqual({ name: "stopped", why });
    expect(gateway.socket.open).toBe(false);
    await pass(60_000);
    expect(gateway.sockets).toHaveLength(1);
  });

  it.each(["xhr post error", "xhr poll error"])(
    "stops where the gateway does not take the page's origin: %s",
    async (message) => {
      gateway.conversation.connect();
      await settle();
      gateway.socket.fail(message, 403, '{"code":4,"message":"Forbidden"}');
      expect(gateway.conversation.state).toEqual({ name: "stopped", why: "origin-not-allowed" });
      expect(gateway.socket.open).toBe(false);
      await pass(600_000);
      expect(gateway.sockets, "each try opens a session").toHaveLength(1);
      gateway.conversation.retryNow();
      await settle();
      gateway.socket.join();
      expect(gateway.conversation.state).toEqual({ name: "live" });
    },
  );

  it.each([
    [403, "<html>Forbidden by a proxy</html>"],
    [403, '{"code":3,"message":"Bad request"}'],
    [403, '{"error":"code 4"}'],
    [403, "null"],
    [403, ""],
    [400, '{"code":4,"message":"Forbidden"}'],
    [502, "Bad Gateway"],
    [0, ""],
  ])("tries again after an answer of %d %s, which says nothing of an origin", async (status, body) => {
    gateway.conversation.connect();
    await settle();
    gateway.socket.fail("xhr post error", status, body);
    expect(gateway.conversation.state).toMatchObject({ name: "offline", reason: "unreachable" });
    await pass(1000);
    expect(gateway.sockets).toHaveLength(2);
  });

  it.each([
    ["Service unavailable", "unavailable"],
    ["Too many connections", "too-many-connections"],
    ["xhr poll error", "unreachable"],
  ])("tries again after %s", async (message, reason) => {
    gateway.conversation.connect();
    await settle();
    gateway.socket.refuse(message);
    expect(gateway.conversation.state).toMatchObject({ name: "offline", reason });
    await pass(1000);
    expect(gateway.sockets).toHaveLength(2);
  });

  it.each([
    ["io server disconnect", "disconnected"],
    ["transport close", "connection-lost"],
    ["ping timeout", "connection-lost"],
  ])("reconnects after a disconnect by %s", async (reason, offline) => {
    const socket = await gateway.joined();
    socket.drop(reason);
    expect(gateway.conversation.state).toMatchObject({ name: "offline", reason: offline });
    await pass(1000);
    expect(gateway.sockets).toHaveLength(2);
  });

  it("is blamed on the device when the device says that it has no network", async () => {
    vi.stubGlobal("navigator", { onLine: false });
    const socket = await gateway.joined();
    socket.drop();
    expect(gateway.conversation.state).toMatchObject({ name: "offline", reason: "no-network" });
  });
});

describe("trying at once", () => {
  it("happens when the device is online again, and replaces the waiting try", async () => {
    const socket = await gateway.joined();
    socket.drop();
    window.dispatchEvent(new Event("online"));
    await settle();
    expect(gateway.sockets).toHaveLength(2);
    await pass(1000);
    expect(gateway.sockets).toHaveLength(2);
  });

  it("happens on retryNow, and replaces the waiting try", async () => {
    const socket = await gateway.joined();
    socket.drop();
    gateway.conversation.retryNow();
    await settle();
    expect(gateway.sockets).toHaveLength(2);
    await pass(1000);
    expect(gateway.sockets).toHaveLength(2);
  });

  it("disturbs neither a live connection nor a try that is under way", async () => {
    gateway.conversation.connect();
    await settle();
    gateway.conversation.retryNow();
    window.dispatchEvent(new Event("online"));
    await settle();
    gateway.socket.join();
    gateway.conversation.retryNow();
    window.dispatchEvent(new Event("online"));
    await settle();
    expect(gateway.sockets).toHaveLength(1);
  });

  it("takes up with a new token what a refusal has stopped", async () => {
    gateway.conversation.connect();
    await settle();
    gateway.socket.refuse("Invalid token");
    gateway.getToken.mockReturnValue("token-2");
    gateway.conversation.retryNow();
    await settle();
    expect(gateway.socket.target.token).toBe("token-2");
    gateway.socket.join();
    expect(gateway.conversation.state).toEqual({ name: "live" });
  });
});

describe("close", () => {
  it("disconnects and makes no further try", async () => {
    const socket = await gateway.joined();
    gateway.conversation.close();
    expect(socket.open).toBe(false);
    socket.drop("io client disconnect");
    gateway.conversation.retryNow();
    window.dispatchEvent(new Event("online"));
    await pass(60_000);
    expect(gateway.sockets).toHaveLength(1);
    expect(gateway.conversation.state).toEqual({ name: "stopped", why: "closed" });
  });

  it("says once that it is closed, however often it is called", async () => {
    await gateway.joined();
    gateway.conversation.close();
    gateway.conversation.close();
    expect(gateway.states.filter(({ name }) => name === "stopped")).toHaveLength(1);
  });

  it("cancels a try that waits for its time", async () => {
    const socket = await gateway.joined();
    socket.drop();
    gateway.conversation.close();
    await pass(60_000);
    expect(gateway.sockets).toHaveLength(1);
  });

  it("cancels a try that waits for its token", async () => {
    gateway.conversation.connect();
    gateway.conversation.close();
    await settle();
    expect(gateway.sockets).toHaveLength(0);
  });

  it("works from within a listener", async () => {
    gateway.conversation.on("state", ({ name }) => name === "offline" && gateway.conversation.close());
    const socket = await gateway.joined();
    socket.drop();
    await pass(60_000);
    expect(gateway.sockets).toHaveLength(1);
  });

  it("can be followed by connect, which resumes where it stood", async () => {
    const socket = await gateway.joined();
    socket.inbound("m1", "one");
    gateway.conversation.close();
    gateway.conversation.connect();
    await settle();
    expect(gateway.socket.target.cursor).toBe("one");
  });
});

it("ignores what an abandoned socket still says", async () => {
  const old = await gateway.joined();
  old.drop();
  await pass(1000);
  old.inbound("late");
  old.drop();
  old.refuse("Forbidden");
  expect(gateway.conversation.state).toEqual({ name: "connecting", attempt: 2 });
  expect(gateway.conversation.messages).toEqual([]);
});
