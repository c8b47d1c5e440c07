import { expect, it } from "vitest";
import { isEmojiOnly } from "../../src/widget/message/isEmojiOnly";

const ENGLAND = "\u{1f3f4}\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}";

it.each(["👍", "👍🏽", "❤️", "🇩🇪", "👨‍👩‍👧‍👦", "1️⃣", "*️⃣", ENGLAND, "👍 🎉 🙏", "🎉\n"])("takes %j for emoji alone", (text) => {
  expect(isEmojiOnly(text)).toBe(true);
});

it.each(["", " ", "1", "#", "123", "👍👍👍👍", "ok 👍", "🇩", "👍".repeat(1000)])("takes %j for text", (text) => {
  expect(isEmojiOnly(text)).toBe(false);
});
