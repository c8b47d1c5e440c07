import { expect, it } from "vitest";
import { safeUrl, splitLinks } from "../../src/widget/message/links";

function links(text: string): string[] {
  return splitLinks(text).flatMap(({ text, href }) => (href === undefined ? [] : [text]));
}

it.each([
  ["see https://a.example/x.", ["https://a.example/x"]],
  ["http://a.example, https://b.example/?q=1&r=2!", ["http://a.example", "https://b.example/?q=1&r=2"]],
  ["(https://a.example/x)", ["https://a.example/x"]],
  ["https://a.example/x_(y)", ["https://a.example/x_(y)"]],
  ["(see https://a.example/x_(y)).", ["https://a.example/x_(y)"]],
  ["HTTPS://A.example/Path", ["HTTPS://A.example/Path"]],
  ["https://a.example\nhttps://b.example", ["https://a.example", "https://b.example"]],
  ["javascript:alert(1) data:text/html,x ftp://a.example mailto:a@b.example", []],
  ["https:// and http://", []],
])("finds the links in %j", (text, found) => {
  expect(links(text)).toEqual(found);
});

it.each([
  ["www.example.com/a?b=c, ok", { "www.example.com/a?b=c": "https://www.example.com/a?b=c" }],
  [
    "Write to Sam.Taylor+shop@mail.example.co.uk.",
    { "Sam.Taylor+shop@mail.example.co.uk": "mailto:Sam.Taylor%2Bshop@mail.example.co.uk" },
  ],
  [
    "Call +49 (151) 123-456 78 or 0044 20 7946 0958",
    { "+49 (151) 123-456 78": "tel:+4915112345678", "0044 20 7946 0958": "tel:+442079460958" },
  ],
])("leads from %j to what is meant", (text, meant) => {
  const found = splitLinks(text).filter(({ href }) => href !== undefined);
  expect(Object.fromEntries(found.map(({ text, href }) => [text, href]))).toEqual(meant);
});

it.each([
  "order 4711-2023-0815",
  "2026-11-28 12:00",
  "+1 of 3",
  "a@b",
  "x@y.",
  "awww.example",
  "user@www.",
  "+12345",
  "+123456789012345678",
])("sees no address in %j", (text) => {
  expect(links(text)).toEqual([]);
});

it.each(["", "plain", "a https://x.example/ b", "https://x.example", "one\n\n(https://x.example)."])(
  "leaves the text %j as it was",
  (text) => {
    expect(
      splitLinks(text)
        .map(({ text }) => text)
        .join(""),
    ).toBe(text);
  },
);

it.each([
  ["https://a.example/x", "https://a.example/x"],
  ["HTTP://a.example", "http://a.example/"],
  ["javascript:alert(1)", undefined],
  [" javascript:alert(1)", undefined],
  ["data:image/png;base64,AA", undefined],
  ["//a.example/x", undefined],
  ["/x", undefined],
])("makes of the address %j the source %j", (address, source) => {
  expect(safeUrl(address)).toBe(source);
});

it.each([
  ["signs that end a sentence", `https://example.com/${"!".repeat(100_000)}x`],
  ["brackets that nobody opened", `https://example.com/${")".repeat(100_000)}`],
  ["brackets of two kinds", `https://example.com/${")]".repeat(50_000)}`],
  ["addresses in addresses", "http://".repeat(15_000)],
])("is done in no time with 100,000 %s, which are no link", (_what, text) => {
  expect(splitLinks(text)).toEqual([{ text }]);
});

it("makes a hundred links at most, and keeps the rest of the text", () => {
  const text = "http://a.example ".repeat(6000);
  const parts = splitLinks(text);
  expect(parts.filter(({ href }) => href !== undefined)).toHaveLength(100);
  expect(parts.map(({ text }) => text).join("")).toBe(text);
});

it("ends an address where the direction of writing is turned", () => {
  const parts = splitLinks("https://evil.example/\u202emoc.knab//:sptth");
  expect(parts.map(({ href }) => href)).toEqual(["https://evil.example/", undefined]);
});
