import { expect, it } from "vitest";
import { Formats } from "../../src/widget/Formats";
import { readPlace, readToken } from "../../src/widget/PageAddress";
import { en } from "../../src/widget/strings/en";
import { loadStrings } from "../../src/widget/strings/loadStrings";

it.each([
  ["?tenantId=acme&conversationId=c%2B1", { tenantId: "acme", conversationId: "c+1" }],
  ["?tenantId=acme", undefined],
  ["?tenantId=&conversationId=c1", undefined],
  ["", undefined],
])("reads from the query %j the place %j", (search, place) => {
  expect(readPlace(search)).toEqual(place);
});

it.each([
  ["#token=a.b-c_d", "a.b-c_d"],
  ["#token=a+b/c==", "a+b/c=="],
  ["#token=a%2Bb", "a+b"],
  ["#token=100%", "100%"],
  ["#view=1&token=abc&more=2", "abc"],
  ["#mytoken=abc", undefined],
  ["#token=", undefined],
  ["", undefined],
])("reads from the fragment %j the token %j", (fragment, token) => {
  expect(readToken(fragment)).toBe(token);
});

it.each([
  ["de", "de"],
  ["DE-at", "de"],
  ["pt-BR", "pt-BR"],
  ["pt", "pt-BR"],
])("asked for %s speaks %s", async (tag, lang) => {
  expect((await loadStrings(tag)).lang).toBe(lang);
});

it("writes times as the agent does, if that is the page's language", async () => {
  const afternoon = new Date(2026, 2, 6, 16, 5);
  expect(new Formats(await loadStrings("pt"), ["pt-PT"]).time(afternoon)).toBe("16:05");
  expect(new Formats(en, ["de-DE", "en-US"]).time(afternoon)).toMatch(/^4:05\sPM$/);
});

it.each(["en", "EN-gb", "xx", null])("speaks English when asked for %j, and loads nothing", (tag) => {
  expect(loadStrings(tag)).toBe(en);
});

it.each([
  [0, "Today"],
  [1, "Yesterday"],
  [2, "Wednesday"],
  [6, "Saturday"],
  [7, "27 February 2026"],
  [-1, "7 March 2026"],
])("calls the day %d days ago %s", (ago, name) => {
  const now = new Date(2026, 2, 6, 0, 30);
  const date = new Date(2026, 2, 6 - ago, 23, 30);
  expect(new Formats(en, ["de-DE", "en-GB"]).day(date, now)).toBe(name);
});

it.each([
  [0, "0 byte"],
  [999, "999 byte"],
  [1500, "1.5 kB"],
  [23_456, "23 kB"],
  [4_200_000, "4.2 MB"],
  [7_000_000_000_000, "7,000 GB"],
])("writes %d bytes as %s", (bytes, size) => {
  expect(new Formats(en, ["en-US"]).size(bytes)).toBe(size);
});

it("counts as the language does", async () => {
  const texts = async (tag: string) => [1, 2].map((await loadStrings(tag)).newMessages);
  expect(await texts("en")).toEqual(["1 new message", "2 new messages"]);
  expect(await texts("de")).toEqual(["1 neue Nachricht", "2 neue Nachrichten"]);
  expect(await texts("pt")).toEqual(["1 nova mensagem", "2 novas mensagens"]);
});
