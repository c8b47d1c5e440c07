import { expect, it } from "vitest";
import { fileName, fileType, mediaKind } from "../../src/widget/message/mediaKind";

it.each([
  ["image", "image/jpeg", "image"],
  ["audio", "Audio/OGG; codecs=opus", "audio"],
  ["voice", "audio/ogg; codecs=opus", "voice"],
  ["sticker", "image/webp", "sticker"],
  ["video", "video/mp4", "video"],
  ["document", "application/pdf", "document"],
  // A document is one whatever is in it.
  ["document", "image/png", "document"],
  // Nothing else says what the medium of an unknown type is.
  ["ephemeral", "image/png", "image"],
  ["ephemeral", "application/zip", "document"],
  ["ephemeral", undefined, "document"],
  // Without a MIME type, or with one that says nothing, the type does.
  ["image", undefined, "image"],
  ["image", "application/octet-stream", "image"],
  ["voice", "video/mp4", "video"],
])("shows a %s of MIME type %s as %s", (type, mediaType, kind) => {
  expect(mediaKind({ type, ...(mediaType && { mediaType }) })).toBe(kind);
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

it.each([
  ["invoice.pdf", undefined, "PDF"],
  ["invoice", "application/pdf", "PDF"],
  ["notes.verylongextension", "text/plain; charset=utf-8", "PLAIN"],
  ["table", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", undefined],
  [undefined, undefined, undefined],
])("calls the file %s of MIME type %s a %s", (name, mediaType, type) => {
  expect(fileType(name, mediaType)).toBe(type);
});
