import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { GetHistory, HistoryMessage } from "../../src/client/History";
import type { Message } from "../../src/client/Message";
import { FakeGateway, pass, settle, type FakeSocket } from "./FakeGateway";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** Breaks the connection and answers the next one, before the gateway has said anything on it. */
async function reconnect(gateway: FakeGateway): Promise<FakeSocket> {
  gateway.socket.drop();
  await pass(1000);
  return gateway.socket;
}

function ids(gateway: FakeGateway): string[] {
  return gateway.conversation.messages.map(({ messageId }) => messageId);
}

describe("the cursor", () => {
  it("is joined's when nothing is replayed", async () => {
    const gateway = new FakeGateway();
    await gateway.joined({ cursor: "start" });
    expect((await reconnect(gateway)).target.cursor).toBe("start");
  });

  it("is that of the last event, whatever its name", async () => {
    const gateway = new FakeGateway();
    const socket = await gateway.joined({ cursor: "start" });
    socket.inbound("m1", "one");
    socket.receive("agent_typing", { typing: true }, { cursor: "two" });
    expect((await reconnect(gateway)).target.cursor).toBe("two");
  });

  it("is not joined's while replayed events are still to come", async () => {
    const gateway = new FakeGateway();
    const socket = await gateway.joined({ cursor: "end", replaying: 2 });
    socket.inbound("m1", "one", true);
    expect((await reconnect(gateway)).target.cursor).toBe("one");
  });

  it("is left out as long as a first replay has brought nothing", async () => {
    const gateway = new FakeGateway();
    await gateway.joined({ cursor: "end", replaying: 2 });
    expect((await reconnect(gateway)).target.cursor).toBeUndefined();
  });

  it("is joined's once all replayed events have come", async () => {
    const gateway = new FakeGateway();
    const socket = await gateway.joined({ cursor: "end", replaying: 2 });
    socket.inbound("m1", "one", true);
    socket.inbound("m2", "two", true);
    expect((await reconnect(gateway)).target.cursor).toBe("end");
  });

  it("is not that of a reset before the window has come", async () => {
    const gateway = new FakeGateway();
    const socket = await gateway.joined();
    socket.inbound("m1", "one");
    socket.receive("reset", { cursor: "nine", reason: "too slow" });
    expect((await reconnect(gateway)).target.cursor).toBe("one");
  });

  it("follows the window after a reset", async () => {
    const gateway = new FakeGateway();
    const socket = await gateway.joined();
    socket.receive("reset", { cursor: "nine", reason: "too slow" });
    socket.inbound("m8", "eight", true);
    expect((await reconnect(gateway)).target.cursor).toBe("eight");
  });

  it("goes along on every connect, refused ones included", async () => {
    const gateway = new FakeGateway();
    await gateway.joined({ cursor: "start" });
    (await reconnect(gateway)).refuse("Service unavailable");
    await pass(2000);
    expect(gateway.sockets.map(({ target }) => target.cursor)).toEqual([undefined, "start", "start"]);
  });
});

describe("catching up", () => {
  it("lasts until as many events have come as joined announced", async () => {
    const gateway = new FakeGateway();
    const socket = await gateway.joined({ replaying: 3 });
    socket.inbound("m1", "one", true);
    socket.inbound("m1", "two", true);
    expect(gateway.conversation.state).toEqual({ name: "catching-up" });
    socket.receive("agent_typing", {}, { cursor: "three", replayed: true });
    expect(gateway.conversation.state).toEqual({ name: "live" });
    expect(gateway.states.map(({ name }) => name)).toEqual(["connecting", "catching-up", "live"]);
  });

  it("starts again with a reset and lasts until the window has come", async () => {
    const gateway = new FakeGateway();
    const socket = await gateway.joined();
    socket.receive("reset", { cursor: "nine", reason: "too slow" });
    socket.inbound("m8", "eight", true);
    expect(gateway.conversation.state).toEqual({ name: "catching-up" });
    socket.inbound("m9", "nine", true);
    expect(gateway.conversation.state).toEqual({ name: "live" });
  });

  it("ends with the first event that is not replayed", async () => {
    const gateway = new FakeGateway();
    const socket = await gateway.joined();
    socket.receive("reset", { cursor: "nine", reason: "too slow" });
    socket.inbound("m10", "ten");
    expect(gateway.conversation.state).toEqual({ name: "live" });
  });

  it("ends when nothing follows a reset for 3 seconds, and leaves the cursor behind the gap", async () => {
    const gateway = new FakeGateway();
    const socket = await gateway.joined({ cursor: "start" });
    socket.receive("reset", { cursor: "nine", reason: "too slow" });
    await pass(2999);
    expect(gateway.conversation.state).toEqual({ name: "catching-up" });
    await pass(1);
    expect(gateway.conversation.state).toEqual({ name: "live" });
    expect((await reconnect(gateway)).target.cursor).toBe("start");
  });

  it("waits on while the window of a reset is still coming", async () => {
    const gateway = new FakeGateway();
    const socket = await gateway.joined();
    socket.receive("reset", { cursor: "nine", reason: "too slow" });
    await pass(2000);
    socket.inbound("m8", "eight", true);
    await pass(2000);
    expect(gateway.conversation.state).toEqual({ name: "catching-up" });
  });

  it("is not cut short by a connection that broke in the middle", async () => {
    const gateway = new FakeGateway();
    const socket = await gateway.joined({ replaying: 2 });
    socket.inbound("m1", "one", true);
    (await reconnect(gateway)).join({ resume: "resumed", replaying: 2 });
    gateway.socket.inbound("m2", "two", true);
    expect(gateway.conversation.state).toEqual({ name: "catching-up" });
  });
});

/** A history that has these messages and no more. */
function answering(messages: HistoryMessage[]): GetHistory {
  return async () => ({ messages, more: false });
}

describe("a gap", () => {
  const older: Message = {
    messageId: "m0",
    direction: "out",
    type: "text",
    text: "hi",
    timestamp: "2026-03-01T11:00:00Z",
  };

  it("is reported after a join that could not resume", async () => {
    const gateway = new FakeGateway();
    await gateway.joined({ resume: "reset" });
    expect(gateway.said("reset")).toEqual([[{ reason: "cursor not in the window", filled: false }]]);
  });

  it("is reported with the reason of a reset event", async () => {
    const gateway = new FakeGateway();
    (await gateway.joined()).receive("reset", { cursor: "nine", reason: "too slow" });
    expect(gateway.said("reset")).toEqual([[{ reason: "too slow", filled: false }]]);
  });

  it("is not reported after a fresh join or one that resumed", async () => {
    const gateway = new FakeGateway({ history: answering([older]) });
    await gateway.joined({ resume: "fresh" });
    (await reconnect(gateway)).join({ resume: "resumed" });
    await settle();
    expect(gateway.said("reset")).toEqual([]);
  });

  it("is filled from the history, each message once and at its place", async () => {
    const gateway = new FakeGateway({
      history: async () => ({ messages: stored, more: false }),
    });
    const stored: HistoryMessage[] = [];
    const socket = await gateway.joined();
    socket.inbound("m1");
    await settle();
    stored.push(
      older,
      { messageId: "m1", direction: "in", timestamp: "2026-03-01T12:00:00Z" },
      { messageId: "m2", direction: "in", timestamp: "2026-03-01T13:00:00Z" },
    );
    socket.receive("reset", { cursor: "nine", reason: "too slow" });
    await settle();
    expect(ids(gateway)).toEqual(["m0", "m1", "m2"]);
    expect(gateway.said("message").map(([message, origin]) => [(message as Message).messageId, origin])).toEqual([
      ["m1", "live"],
    ]);
    expect(
      gateway
        .said("messages")
        .map(([messages, ...rest]) => [(messages as Message[]).map(({ messageId }) => messageId), ...rest]),
    ).toEqual([[["m0", "m2"], "history", 1]]);
    expect(gateway.said("reset")).toEqual([[{ reason: "too slow", filled: true }]]);
  });

  it("brings known messages forward by the history's statuses", async () => {
    const gateway = new FakeGateway({ history: answering([{ ...older, status: "read" }]) });
    const socket = await gateway.joined();
    socket.receive("outbound_message", older, { cursor: "one" });
    socket.receive("reset", { cursor: "nine", reason: "too slow" });
    await settle();
    expect(gateway.conversation.messages).toEqual([{ ...older, status: "read" }]);
  });

  it("stays open when the history fails, which is an error too", async () => {
    const gateway = new FakeGateway({ history: () => Promise.reject(new Error("503")) });
    await gateway.joined({ resume: "reset" });
    await settle();
    // At the start, and after the join.
    expect(gateway.said("error")).toEqual([[new Error("history failed")], [new Error("history failed")]]);
    expect(gateway.said("reset")).toEqual([[{ reason: "cursor not in the window", filled: false }]]);
  });
});

describe("messages", () => {
  it("are shown once, however often they come", async () => {
    const gateway = new FakeGateway();
    (await gateway.joined()).inbound("m1", "one");
    const socket = await reconnect(gateway);
    socket.join({ resume: "reset", replaying: 2 });
    socket.inbound("m1", "one", true);
    socket.inbound("m2", "two", true);
    expect(ids(gateway)).toEqual(["m1", "m2"]);
    expect(gateway.said("message").map(([, origin]) => origin)).toEqual(["live", "replay"]);
  });

  it("are the agent's when they are outbound", async () => {
    const gateway = new FakeGateway();
    const socket = await gateway.joined();
    socket.inbound("m1");
    socket.receive("outbound_message", { messageId: "m2", text: "hello" }, { cursor: "two" });
    expect(gateway.conversation.messages.map(({ direction }) => direction)).toEqual(["in", "out"]);
  });

  it("carry a status that came before them", async () => {
    const gateway = new FakeGateway();
    const socket = await gateway.joined();
    socket.status("m1", "read");
    expect(gateway.said("status")).toEqual([]);
    socket.inbound("m1");
    expect(gateway.said("message")[0]?.[0]).toMatchObject({ messageId: "m1", status: "read" });
  });

  it("announce a status only when it is a step forward", async () => {
    const gateway = new FakeGateway();
    const socket = await gateway.joined();
    socket.inbound("m1");
    for (const status of ["delivered", "sent", "delivered", "read"]) socket.status("m1", status);
    expect(gateway.said("status")).toMatchObject([[{ status: "delivered" }], [{ status: "read" }]]);
  });

  it("outlive a listener that throws", async () => {
    const gateway = new FakeGateway();
    const thrown = vi.spyOn(globalThis, "queueMicrotask").mockImplementation(() => {});
    gateway.conversation.on("message", () => {
      throw new Error("listener");
    });
    const socket = await gateway.joined();
    socket.inbound("m1", "one");
    expect(thrown).toHaveBeenCalledOnce();
    thrown.mockRestore();
    expect((await reconnect(gateway)).target.cursor).toBe("one");
  });

  it("leave events of other names to the front end", async () => {
    const gateway = new FakeGateway();
    (await gateway.joined()).receive("agent_typing", { typing: true }, { cursor: "one" });
    expect(gateway.said("event")).toMatchObject([["agent_typing", { typing: true }, { cursor: "one" }]]);
  });
});

it("stops calling a listener that was removed", async () => {
  const gateway = new FakeGateway();
  const listener = vi.fn();
  const remove = gateway.conversation.on("message", listener);
  const socket = await gateway.joined();
  socket.inbound("m1");
  remove();
  socket.inbound("m2");
  expect(listener).toHaveBeenCalledOnce();
});
