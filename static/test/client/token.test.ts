import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { FakeGateway, pass, settle } from "./FakeGateway";

let gateway: FakeGateway;

beforeEach(() => {
  vi.useFakeTimers();
  gateway = new FakeGateway();
  let count = 0;
  gateway.getToken.mockImplementation(() => Promise.resolve(`token-${++count}`));
});

afterEach(() => {
  gateway.conversation.close();
  vi.useRealTimers();
});

it("keeps its token over reconnects", async () => {
  const socket = await gateway.joined();
  socket.drop();
  await pass(1000);
  expect(gateway.socket.target.token).toBe("token-1");
  expect(gateway.getToken).toHaveBeenCalledOnce();
});

describe("a token about to expire", () => {
  it("is renewed over the connection that stands", async () => {
    const socket = await gateway.joined();
    socket.receive("token_expiring", { expiresAt: "2026-03-01T13:00:00Z" });
    await settle();
    expect(socket.sent.map(({ payload }) => payload)).toEqual([{ token: "token-2" }]);
    expect(gateway.conversation.state).toEqual({ name: "live" });
    expect(gateway.sockets).toHaveLength(1);
  });

  it("is replaced for later connects too", async () => {
    const socket = await gateway.joined();
    socket.receive("token_expiring", {});
    await settle();
    socket.sent[0]?.answer({ ok: true, expiresAt: "2026-03-01T14:00:00Z" });
    socket.drop();
    await pass(1000);
    expect(gateway.socket.target.token).toBe("token-2");
  });

  it("is not sent again when getToken has no newer one", async () => {
    gateway.getToken.mockReturnValue("the only one");
    const socket = await gateway.joined();
    socket.receive("token_expiring", {});
    await settle();
    expect(socket.sent).toEqual([]);
  });

  it("is renewed at most every 10 seconds, however short tokens live", async () => {
    const socket = await gateway.joined();
    socket.receive("token_expiring", {});
    await settle();
    socket.receive("token_expiring", {});
    await pass(9_999);
    expect(socket.sent).toHaveLength(1);
    await pass(1);
    expect(socket.sent).toHaveLength(2);
  });

  it("is renewed at once when the clock was put back in between", async () => {
    const socket = await gateway.joined();
    socket.receive("token_expiring", {});
    await settle();
    vi.setSystemTime(Date.now() - 3_600_000);
    socket.receive("token_expiring", {});
    await settle();
    expect(socket.sent).toHaveLength(2);
  });

  it("stays in use when getToken answers none, which is an error", async () => {
    const socket = await gateway.joined();
    gateway.getToken.mockReturnValueOnce(null as unknown as string);
    socket.receive("token_expiring", {});
    await settle();
    expect(socket.sent).toEqual([]);
    expect(gateway.said("error")).toEqual([[new Error("getToken failed")]]);
    socket.drop();
    await pass(1000);
    expect(gateway.socket.target.token).toBe("token-1");
  });

  it.each(["<!doctype html><title>Sign in</title>", '{"token":"t"}'])(
    "stays in use when getToken answers %j, which is an error",
    async (answer) => {
      const socket = await gateway.joined();
      gateway.getToken.mockReturnValueOnce(answer);
      socket.receive("token_expiring", {});
      await settle();
      expect(socket.sent).toEqual([]);
      expect(gateway.said("error")).toEqual([[new Error("getToken failed")]]);
      expect(gateway.conversation.state).toEqual({ name: "live" });
    },
  );

  it("is the same one, and not sent again, when getToken answers it with other white space", async () => {
    gateway.getToken.mockReturnValueOnce("token-1").mockReturnValueOnce('"token-1"\n');
    const socket = await gateway.joined();
    socket.receive("token_expiring", {});
    await settle();
    expect(socket.sent).toEqual([]);
    expect(gateway.said("error")).toEqual([]);
  });

  it("is no longer waited for once its connection is gone", async () => {
    const socket = await gateway.joined();
    socket.receive("token_expiring", {});
    await settle();
    socket.receive("token_expiring", {});
    socket.drop();
    await pass(1000);
    gateway.socket.join();
    await pass(60_000);
    expect(gateway.getToken).toHaveBeenCalledTimes(2);
    expect(gateway.socket.sent).toEqual([]);
  });

  it("is an error, and no more, when the gateway refuses the new one", async () => {
    const socket = await gateway.joined();
    socket.receive("token_expiring", {});
    await settle();
    socket.sent[0]?.answer({ ok: false, error: "another agent" });
    expect(gateway.said("error")).toEqual([[new Error("refresh_token was refused: another agent")]]);
    expect(gateway.conversation.state).toEqual({ name: "live" });
  });

  it("is an error, and no more, when getToken fails", async () => {
    const socket = await gateway.joined();
    gateway.getToken.mockRejectedValue(new Error("503"));
    socket.receive("token_expiring", {});
    await settle();
    expect(gateway.said("error")).toEqual([[new Error("getToken failed")]]);
    expect(gateway.conversation.state).toEqual({ name: "live" });
  });

  it("is not sent on a connection that is gone by the time getToken answers", async () => {
    let answer: (token: string) => void = () => {};
    const socket = await gateway.joined();
    gateway.getToken.mockReturnValue(new Promise((resolve) => (answer = resolve)));
    socket.receive("token_expiring", {});
    await settle();
    socket.drop();
    answer("token-2");
    await pass(1000);
    expect(socket.sent).toEqual([]);
    expect(gateway.socket.target.token).toBe("token-2");
    expect(gateway.socket.sent).toEqual([]);
  });
});

describe("an expired token", () => {
  it("is replaced at once when a connect is refused for it", async () => {
    gateway.conversation.connect();
    await settle();
    gateway.socket.refuse("Token expired");
    await settle();
    expect(gateway.sockets.map(({ target }) => target.token)).toEqual(["token-1", "token-2"]);
    expect(gateway.conversation.state).toMatchObject({ name: "connecting" });
  });

  it("is replaced at once when the connection ends for it", async () => {
    const socket = await gateway.joined();
    await pass(60_000);
    socket.receive("token_expired", {});
    socket.drop("io server disconnect");
    await settle();
    expect(gateway.socket.target.token).toBe("token-2");
    gateway.socket.join({ resume: "resumed" });
    expect(gateway.states.map(({ name }) => name)).toEqual(["connecting", "live", "connecting", "live"]);
  });

  it("stops the conversation when its replacement has expired too", async () => {
    gateway.conversation.connect();
    await settle();
    gateway.socket.refuse("Token expired");
    await settle();
    gateway.socket.refuse("Token expired");
    await pass(60_000);
    expect(gateway.conversation.state).toEqual({ name: "stopped", why: "token-expired" });
    expect(gateway.getToken).toHaveBeenCalledTimes(2);
    expect(gateway.sockets).toHaveLength(2);
  });

  it("stops the conversation even when other failures come between", async () => {
    gateway.conversation.connect();
    await settle();
    gateway.socket.refuse("Token expired");
    await settle();
    for (const delay of [1000, 2000, 5000, 5000]) {
      gateway.socket.refuse("Service unavailable");
      await pass(delay);
    }
    gateway.socket.refuse("Token expired");
    expect(gateway.conversation.state).toEqual({ name: "stopped", why: "token-expired" });
    expect(gateway.getToken).toHaveBeenCalledTimes(2);
  });

  it("stops the conversation when getToken has no newer one", async () => {
    gateway.getToken.mockReturnValue("the only one");
    gateway.conversation.connect();
    await settle();
    gateway.socket.refuse("Token expired");
    await settle();
    expect(gateway.conversation.state).toEqual({ name: "stopped", why: "token-expired" });
    expect(gateway.sockets).toHaveLength(1);
  });

  it("stops the conversation when getToken fails", async () => {
    gateway.conversation.connect();
    await settle();
    gateway.getToken.mockRejectedValue(new Error("signed out"));
    gateway.socket.refuse("Token expired");
    await settle();
    expect(gateway.conversation.state).toEqual({ name: "stopped", why: "token-expired" });
    expect(gateway.said("error")).toEqual([[new Error("getToken failed")]]);
  });

  it("stops the conversation when getToken answers the page to sign in on: the session is over", async () => {
    const socket = await gateway.joined();
    gateway.getToken.mockReturnValue("<!doctype html><title>Sign in</title>");
    socket.receive("token_expired", {});
    await settle();
    expect(gateway.conversation.state).toEqual({ name: "stopped", why: "token-expired" });
    expect(gateway.sockets).toHaveLength(1);
  });

  it("stops the conversation when getToken answers none", async () => {
    const socket = await gateway.joined();
    gateway.getToken.mockReturnValue(null as unknown as string);
    socket.receive("token_expired", {});
    await settle();
    expect(gateway.conversation.state).toEqual({ name: "stopped", why: "token-expired" });
    expect(gateway.sockets).toHaveLength(1);
  });

  it("stops the conversation when getToken does not answer within 30 seconds", async () => {
    const socket = await gateway.joined();
    gateway.getToken.mockReturnValue(new Promise(() => {}));
    socket.receive("token_expired", {});
    await pass(30_000);
    expect(gateway.conversation.state).toEqual({ name: "stopped", why: "token-expired" });
  });

  it("may be replaced again after the clock was put back", async () => {
    const socket = await gateway.joined();
    socket.receive("token_expired", {});
    await settle();
    gateway.socket.join();
    vi.setSystemTime(Date.now() - 3_600_000);
    gateway.socket.receive("token_expired", {});
    await settle();
    expect(gateway.socket.target.token).toBe("token-3");
  });

  it("may be replaced again after the gateway has taken the replacement", async () => {
    const socket = await gateway.joined();
    socket.receive("token_expired", {});
    await settle();
    gateway.socket.join();
    await pass(10_000);
    gateway.socket.receive("token_expired", {});
    await settle();
    expect(gateway.socket.target.token).toBe("token-3");
  });

  it("stops the conversation when a replacement lasted less than 10 seconds", async () => {
    const socket = await gateway.joined();
    socket.receive("token_expired", {});
    await settle();
    gateway.socket.join();
    await pass(9_999);
    gateway.socket.receive("token_expired", {});
    expect(gateway.conversation.state).toEqual({ name: "stopped", why: "token-expired" });
  });
});
