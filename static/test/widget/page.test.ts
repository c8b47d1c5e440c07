import { expect, it } from "vitest";
import { DateText } from "../../src/widget/DateText";
import { readPlace, readTitle, readToken } from "../../src/widget/PageAddress";
import { stringsFor } from "../../src/widget/strings";

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
  ["?title=Sam%20Taylor", "Sam Taylor"],
  ["?title=%20", "c1"],
  ["", "c1"],
])("calls the conversation of %j %s", (search, title) => {
  expect(readTitle(search, { tenantId: "acme", conversationId: "c1" })).toBe(title);
});

it.each([
  ["de", "de"],
  ["DE-at", "de"],
  ["pt-BR", "pt-BR"],
  ["pt", "pt-BR"],
])("asked for %s speaks %s", (tag, lang) => {
  expect(stringsFor(tag).lang).toBe(lang);
});

it("writes times as the agent does, if that is the page's language", () => {
  const afternoon = new Date(2026, 2, 6, 16, 5);
  expect(new DateText(stringsFor("pt"), ["pt-PT"]).time(afternoon)).toBe("16:05");
  expect(new DateText(stringsFor("en"), ["de-DE", "en-US"]).time(afternoon)).toMatch(/^4:05\sPM$/);
});

it.each(["en", "EN-gb", "xx", null])("speaks English when asked for %j", (tag) => {
  expect(stringsFor(tag).lang).toBe("en");
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
  expect(new DateText(stringsFor("en"), ["de-DE", "en-GB"]).day(date, now)).toBe(name);
});
