import { describe, expect, it } from "vitest";
import type { DeliveryStatus, Message } from "../../src/client/Message";
import { MessageLog } from "../../src/client/MessageLog";

function message(messageId: string, timestamp = "2026-03-01T12:00:00Z"): Message {
  return { messageId, direction: "out", type: "text", timestamp };
}

function update(messageId: string, status: DeliveryStatus) {
  return { messageId, status, timestamp: "2026-03-01T12:00:00Z" };
}

function ids(log: MessageLog): string[] {
  return log.messages.map(({ messageId }) => messageId);
}

describe("statuses", () => {
  it.each<[DeliveryStatus[], DeliveryStatus]>([
    [["sent", "delivered", "read"], "read"],
    [["read", "delivered", "sent"], "read"],
    [["delivered", "sent"], "delivered"],
    [["failed"], "failed"],
    [["sent", "failed"], "failed"],
    [["failed", "sent"], "failed"],
    [["delivered", "failed"], "delivered"],
    [["read", "failed"], "read"],
    [["failed", "delivered"], "delivered"],
    [["failed", "read"], "read"],
  ])("%j leave a message %s, whether they come after it or before", (statuses, end) => {
    const after = new MessageLog();
    after.append(message("m1"));
    for (const status of statuses) after.apply(update("m1", status));
    expect(after.messages[0]?.status).toBe(end);

    const before = new MessageLog();
    for (const status of statuses) before.apply(update("m1", status));
    before.append(message("m1"));
    expect(before.messages[0]?.status).toBe(end);
  });

  it("take the error along that they came with, and drop it when delivery wins", () => {
    const log = new MessageLog();
    log.append(message("m1"));
    log.apply({ ...update("m1", "failed"), error: { code: 131047, title: "Re-engagement message" } });
    expect(log.messages[0]).toMatchObject({ status: "failed", error: { code: 131047 } });
    log.apply(update("m1", "delivered"));
    expect(log.messages[0]).not.toHaveProperty("error");
  });

  it("touch only the message they name", () => {
    const log = new MessageLog();
    log.append(message("m1"));
    log.append(message("m2"));
    const untouched = log.messages[1];
    log.apply(update("m1", "read"));
    expect(log.messages[1]).toBe(untouched);
  });

  it("wait for at most 4096 messages, those heard of last", () => {
    const log = new MessageLog();
    for (let i = 0; i < 4096; i++) log.apply(update(`m${i}`, "sent"));
    log.apply(update("m0", "delivered"));
    log.apply(update("m4096", "sent"));
    expect(log.append(message("m0"))?.status).toBe("delivered");
    expect(log.append(message("m1"))?.status).toBeUndefined();
    expect(log.append(message("m2"))?.status).toBe("sent");
  });
});

describe("order", () => {
  it("is the order of arrival for events, whatever their times say", () => {
    const log = new MessageLog();
    log.append(message("late", "2026-03-01T12:00:00Z"));
    log.append(message("early", "2026-03-01T09:00:00Z"));
    expect(ids(log)).toEqual(["late", "early"]);
  });

  it("is by time for the history, after what has the same time", () => {
    const log = new MessageLog();
    log.append(message("b", "2026-03-01T10:00:00Z"));
    log.append(message("d", "2026-03-01T12:00:00Z"));
    log.merge([message("c", "2026-03-01T10:00:00.000Z")]);
    log.merge([message("a", "2026-03-01T09:00:00Z")]);
    log.merge([message("e", "2026-03-01T15:00:00+02:00")]);
    expect(ids(log)).toEqual(["a", "b", "c", "d", "e"]);
  });
});
