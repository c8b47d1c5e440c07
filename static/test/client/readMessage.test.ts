import { expect, it } from "vitest";
import { readMessage, readStatus } from "../../src/client/readMessage";

const META = { cursor: "e1-7", at: "2026-03-01T12:00:00Z" };

it("reads every field of a message", () => {
  const fields = {
    messageId: "wamid.1",
    text: "hello",
    mediaUrl: "https://media.example/1.jpg",
    mediaType: "image/jpeg",
    from: "5511999",
    timestamp: "2026-03-01T11:59:58Z",
  };
  expect(readMessage("in", fields, META)).toEqual({ direction: "in", type: "image", ...fields });
});

it("leaves out what is null, empty or of another type", () => {
  expect(readMessage("in", { messageId: "m1", text: null, mediaUrl: "", from: 5 }, META)).toEqual({
    messageId: "m1",
    direction: "in",
    type: "unsupported",
    timestamp: META.at,
  });
});

it.each([
  ["2026-03-01T09:00:00-03:00", "2026-03-01T09:00:00-03:00"],
  [1772366400, "2026-03-01T12:00:00.000Z"],
  ["1772366400", "2026-03-01T12:00:00.000Z"],
  [1772366400123, "2026-03-01T12:00:00.123Z"],
  ["half past nine", META.at],
  [1e300, META.at],
  [undefined, META.at],
])("reads the time %j as %s", (timestamp, read) => {
  expect(readMessage("out", { messageId: "m1", timestamp }, META).timestamp).toBe(read);
});

it.each([["text"], [null], [{}]])("shows an outbound message without an id under its position: %j", (data) => {
  expect(readMessage("out", data, META).messageId).toBe("at e1-7");
});

it("reads a failure with what is known of its error", () => {
  const failed = { messageId: "m1", status: "failed", timestamp: META.at };
  const error = { code: 131047, title: "Re-engagement message", extra: 1 };
  expect(readStatus({ ...failed, error }, META)).toEqual({
    ...failed,
    error: { code: 131047, title: "Re-engagement message" },
  });
  expect(readStatus({ ...failed, error: "broken" }, META)).toEqual(failed);
});

it.each([[{ messageId: "m1", status: "seen" }], [{ messageId: "m1" }], [{ status: "read" }], [null]])(
  "takes no status from %j",
  (data) => {
    expect(readStatus(data, META)).toBeUndefined();
  },
);
