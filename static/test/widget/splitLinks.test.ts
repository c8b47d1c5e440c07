import { expect, it } from "vitest";
import { safeUrl, splitLinks } from "../../src/widget/splitLinks";

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

it.each(["", "plain", "a https://x.example/ b", "https://x.example", "one\n\n(https://x.example)."])(
  "leaves the text %j as it was",
  (text) => {
    expect(splitLinks(text).map(({ text }) => text).join("")).toBe(text);
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
