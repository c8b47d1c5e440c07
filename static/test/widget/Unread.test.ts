import { beforeEach, expect, it } from "vitest";
import type { ConversationEvents, Message } from "../../src/client";
import { Emitter } from "../../src/client/Emitter";
import { Unread } from "../../src/widget/log/Unread";

class FakeDocument extends EventTarget {
  hidden = false;

  hide(hidden: boolean): void {
    this.hidden = hidden;
    this.dispatchEvent(new Event("visibilitychange"));
  }
}

let conversation: Emitter<ConversationEvents>;
let page: FakeDocument;
let unread: Unread;

beforeEach(() => {
  conversation = new Emitter();
  page = new FakeDocument();
  unread = new Unread(conversation, page as never);
});

const message = (messageId: string, direction: Message["direction"] = "in"): Message => ({
  messageId,
  direction,
  type: "text",
  timestamp: "2026-03-01T12:00:00Z",
});
const arrives = (messageId: string, direction: Message["direction"] = "in", news = true) =>
  conversation.emit("message", message(messageId, direction), "live", news);

it("counts nothing while the agent looks on", () => {
  arrives("a");
  expect([unread.count, unread.line]).toEqual([0, undefined]);
  expect(unread.isNews("a")).toBe(true);
});

it("counts the customer's messages alone while the agent reads further up, and draws the line above the first", () => {
  unread.reads(true);
  arrives("own", "out");
  arrives("a");
  arrives("own too", "out");
  arrives("b");
  expect([unread.count, unread.line]).toEqual([2, "a"]);
});

it("counts while the page is hidden, until it is seen again", () => {
  page.hide(true);
  arrives("a");
  expect(unread.count).toBe(1);
  page.hide(false);
  expect([unread.count, unread.line]).toEqual([0, "a"]);
});

it("still counts in a page that is seen again, if the agent reads further up", () => {
  unread.reads(true);
  page.hide(true);
  arrives("a");
  page.hide(false);
  expect(unread.count).toBe(1);
  unread.reads(false);
  expect(unread.count).toBe(0);
});

it("leaves the line where it is until there is something else that is new", () => {
  unread.reads(true);
  arrives("a");
  unread.reads(false);
  arrives("b");
  expect(unread.line).toBe("a");
  unread.reads(true);
  arrives("c");
  expect([unread.count, unread.line]).toEqual([1, "c"]);
});

it("takes what was there before for no news, and what a history brings after a cut for news", () => {
  unread.reads(true);
  arrives("old", "in", false);
  conversation.emit(
    "messages",
    ["x", "y", "z"].map((id) => message(id)),
    "history",
    0,
  );
  expect(unread.count).toBe(0);
  conversation.emit(
    "messages",
    ["p", "q", "r"].map((id) => message(id)),
    "history",
    2,
  );
  expect([unread.count, unread.line]).toEqual([2, "q"]);
  expect(["old", "p", "q"].map((id) => unread.isNews(id))).toEqual([false, false, true]);
});
