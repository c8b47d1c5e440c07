import { expect, it } from "vitest";
import type { Message } from "../../src/client/Message";
import { tellType } from "../../src/client/tellType";

it.each<[Partial<Message>, string]>([
  [{ text: "hello" }, "text"],
  [{ location: { latitude: 1, longitude: 2 }, text: "here" }, "location"],
  [{ contacts: [{ name: "Sam" }] }, "contacts"],
  [{ mediaId: "7", mediaType: "image/jpeg", text: "caption" }, "image"],
  [{ mediaUrl: "https://m.example/a", mediaType: "Audio/ogg; codecs=opus" }, "audio"],
  [{ mediaUrl: "https://m.example/a.png", mediaType: "application/pdf" }, "document"],
  [{ mediaUrl: "https://m.example/a.MP4?x=b.jpg#.png" }, "video"],
  [{ mediaUrl: "https://m.example/a.oga" }, "audio"],
  [{ mediaUrl: "https://m.example/download?id=7", fileName: "photo.jpeg" }, "image"],
  [{ mediaUrl: "https://m.example/a.zip" }, "document"],
  [{ mediaId: "7" }, "document"],
  [{}, "unsupported"],
])("takes %j for a message of type %s", (message, type) => {
  expect(tellType(message)).toBe(type);
});
