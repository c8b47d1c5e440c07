/** Reactions, edits and deletes, and the messages they are about. */
import { describe, expect, it } from "vitest";
import type { Message } from "../../src/client/Message";
import { MessageLog } from "../../src/client/MessageLog";

const at = (second: number): string => `2026-03-01T12:00:${String(second).padStart(2, "0")}Z`;

function message(messageId: string, more: Partial<Message> = {}): Message {
  return { messageId, direction: "in", type: "text", text: messageId, from: "sam", timestamp: at(0), ...more };
}

function reaction(messageId: string, emoji: string | undefined, second: number, more: Partial<Message> = {}): Message {
  const change: Message = {
    messageId,
    direction: "in",
    type: "reaction",
    target: "m1",
    from: "sam",
    timestamp: at(second),
    ...more,
  };
  return emoji === undefined ? change : { ...change, emoji };
}

const edit = (messageId: string, text: string, second: number): Message =>
  message(messageId, { type: "edit", target: "m1", text, timestamp: at(second) });

const removal = (second: number): Message => {
  const { text: _none, ...rest } = message("d1", { type: "delete", target: "m1", timestamp: at(second) });
  return rest;
};

/** Takes each in as the conversation does. */
function logOf(...messages: Message[]): MessageLog {
  const log = new MessageLog();
  for (const each of messages) {
    if (!log.change(each)) log.append(each);
  }
  return log;
}

const ids = (log: MessageLog): string[] => log.messages.map(({ messageId }) => messageId);

describe("a reaction", () => {
  it("sits on its message and is no row", () => {
    const log = logOf(message("m1"), reaction("r1", "👍", 1));
    expect(log.messages).toEqual([
      { ...message("m1"), reactions: [{ emoji: "👍", direction: "in", from: "sam", timestamp: at(1) }] },
    ]);
  });

  it("replaces its sender's earlier one, and stands beside those of others", () => {
    const log = logOf(
      message("m1"),
      reaction("r1", "👍", 1),
      reaction("r2", "❤️", 2, { direction: "out" }),
      reaction("r3", "🎉", 3),
    );
    expect(log.messages[0]?.reactions?.map(({ emoji }) => emoji)).toEqual(["❤️", "🎉"]);
  });

  it("is taken back by an empty one, also where the two come in the other order", () => {
    const forward = logOf(message("m1"), reaction("r1", "👍", 1), reaction("r2", undefined, 2));
    const backward = logOf(message("m1"), reaction("r2", undefined, 2), reaction("r1", "👍", 1));
    for (const log of [forward, backward]) expect(log.messages).toEqual([message("m1")]);
  });

  it("counts once, however often it comes", () => {
    const log = logOf(message("m1"), reaction("r1", "👍", 1), reaction("r2", undefined, 2), reaction("r1", "👍", 1));
    expect(log.messages).toEqual([message("m1")]);
  });
});

describe("an edit", () => {
  it("replaces the text, and the latest wins whatever comes first", () => {
    for (const edits of [
      [edit("e1", "one", 1), edit("e2", "two", 2)],
      [edit("e2", "two", 2), edit("e1", "one", 1)],
    ]) {
      expect(logOf(message("m1"), ...edits).messages).toEqual([{ ...message("m1"), text: "two", editedAt: at(2) }]);
    }
  });
});

describe("a delete", () => {
  it("takes the content away, and leaves whose it was and how far it came", () => {
    const log = logOf(message("m1", { mediaUrl: "https://media.example/1.jpg" }), reaction("r1", "👍", 1), removal(2));
    log.apply({ messageId: "m1", status: "read", timestamp: at(3) });
    expect(log.messages).toEqual([
      {
        messageId: "m1",
        direction: "in",
        type: "text",
        from: "sam",
        timestamp: at(0),
        status: "read",
        statusTimes: { read: at(3) },
        deletedAt: at(2),
      },
    ]);
  });

  it("is the last word", () => {
    const log = logOf(message("m1"), removal(1), edit("e1", "back", 2), reaction("r1", "👍", 3));
    expect(log.messages[0]).not.toHaveProperty("text");
    expect(log.messages[0]).not.toHaveProperty("reactions");
  });
});

describe("what is about an unknown message", () => {
  it("is a row until that message comes from the history", () => {
    const log = logOf(message("m2"), edit("e1", "better", 2), reaction("r1", "👍", 3));
    expect(ids(log)).toEqual(["m2", "e1", "r1"]);
    const { added } = log.merge([message("m1", { timestamp: "2026-03-01T11:00:00Z" })], "m2");
    expect(ids(log)).toEqual(["m1", "m2"]);
    expect(added).toEqual([log.messages[0]]);
    expect(log.messages[0]).toMatchObject({ text: "better", editedAt: at(2), reactions: [{ emoji: "👍" }] });
  });

  it("shows of several only what still counts", () => {
    expect(ids(logOf(reaction("r1", "👍", 1), reaction("r2", "🎉", 2)))).toEqual(["r2"]);
    expect(ids(logOf(edit("e1", "one", 1), edit("e2", "two", 2), reaction("r1", "👍", 3)))).toEqual(["e2", "r1"]);
    expect(ids(logOf(edit("e1", "one", 1), reaction("r1", "👍", 2), removal(3)))).toEqual(["d1"]);
    expect(ids(logOf(reaction("r1", "👍", 1), reaction("r2", undefined, 2)))).toEqual([]);
  });

  it("leaves a gap where it is when the row above it goes", () => {
    const log = logOf(message("m2"), reaction("r1", "👍", 1));
    log.openGap("too slow");
    log.append(message("m3"));
    log.merge([message("m1")], "m2");
    expect(log.gaps).toEqual([{ reason: "too slow", after: "m2" }]);
  });
});

describe("a store's own copy", () => {
  it("of a known message brings what it has more", () => {
    const log = logOf(message("m1"), message("m2"), message("m3"));
    const { changed, added } = log.merge([
      message("m1", { text: "new", editedAt: at(5) }),
      message("m2", { reactions: [{ emoji: "👍", direction: "in", timestamp: at(5) }] }),
      message("m3", { deletedAt: at(5) }),
    ]);
    expect(added).toEqual([]);
    expect(changed.map(([{ messageId }]) => messageId)).toEqual(["m1", "m2", "m3"]);
    expect(log.messages[0]).toMatchObject({ text: "new", editedAt: at(5) });
    expect(log.messages[1]?.reactions).toHaveLength(1);
    expect(log.messages[2]).not.toHaveProperty("text");
    expect(log.merge([...log.messages]).changed).toEqual([]);
  });

  it("that is older than what is known changes nothing", () => {
    const log = logOf(message("m1"), edit("e1", "new", 9), reaction("r1", "👍", 9));
    const before = log.messages[0];
    const { changed } = log.merge([
      message("m1", {
        text: "old",
        editedAt: at(5),
        reactions: [{ emoji: "🎉", direction: "in", from: "sam", timestamp: at(5) }],
      }),
    ]);
    expect(changed).toEqual([]);
    expect(log.messages[0]).toEqual(before);
  });

  it("may have reactions, edits and deletes as messages, which are none on their own", () => {
    const log = new MessageLog();
    const { added } = log.merge([message("m1"), reaction("r1", "👍", 1), message("m2", { timestamp: at(2) })]);
    expect(ids(log)).toEqual(["m1", "m2"]);
    expect(added.map(({ messageId }) => messageId)).toEqual(["m1", "m2"]);
    expect(log.messages[0]?.reactions).toHaveLength(1);
  });
});

it("is shown of a store's page too only as far as it still counts", () => {
  const log = new MessageLog();
  log.merge([
    reaction("r1", "👍", 1),
    reaction("r2", "🎉", 2),
    message("m2", { timestamp: at(3) }),
    edit("e1", "new", 4),
  ]);
  expect(ids(log)).toEqual(["r2", "m2", "e1"]);
  log.merge([reaction("r3", undefined, 5)]);
  expect(ids(log)).toEqual(["m2", "e1"]);
  log.merge([message("m1")], "m2");
  expect(log.messages[0]).toEqual({ ...message("m1"), text: "new", editedAt: at(4) });
});

it("is forgotten with its message, and there again when that comes back", () => {
  const log = logOf(message("m1"), reaction("r1", "👍", 1), message("m2"));
  log.forget(1);
  expect(ids(log)).toEqual(["m2"]);
  log.merge([message("m1")], "m2");
  expect(log.messages[0]?.reactions).toHaveLength(1);
});
