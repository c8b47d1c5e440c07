import { expect, it } from "vitest";
import { fileName, mediaKind } from "../../src/widget/message/mediaKind";

it.each([
  ["https://m.example/1", "image/jpeg", "image"],
  ["https://m.example/1", "Audio/OGG; codecs=opus", "audio"],
  ["https://m.example/1", "video/mp4", "video"],
  ["https://m.example/1.jpg", "application/pdf", "file"],
  ["https://m.example/1.JPG?size=2", undefined, "image"],
  ["https://m.example/1.opus", undefined, "audio"],
  ["https://m.example/1.mp4#t=1", undefined, "video"],
  ["https://m.example/photo.jpg/download", undefined, "file"],
  ["https://m.example/", undefined, "file"],
])("shows %s of type %s as %s", (url, type, kind) => {
  expect(mediaKind(url, type)).toBe(kind);
});

it.each([
  ["https://m.example/a/invoice%2048.pdf?x=1", "invoice 48.pdf"],
  ["https://m.example/100%.pdf", "100%.pdf"],
  ["https://m.example/", undefined],
])("names the file at %s %s", (url, name) => {
  expect(fileName(url)).toBe(name);
});

it("shows a file's name in the order in which it is written", () => {
  expect(fileName("https://files.example/annexe%E2%80%AEfdp.exe")).toBe("annexefdp.exe");
});
