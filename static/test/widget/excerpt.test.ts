import { expect, it } from "vitest";
import { excerpt } from "../../src/widget/message/excerpt";

it("leaves alone what a letter may be long", () => {
  expect(excerpt("word ".repeat(400))).toBeUndefined();
  expect(excerpt("line\n".repeat(39))).toBeUndefined();
});

it("cuts what is longer at a space", () => {
  const cut = excerpt("abcdefghi ".repeat(10_000));
  expect(cut).toMatch(/^(?:abcdefghi )+abcdefghi$/);
  expect(cut?.length).toBeGreaterThan(1900);
});

it("cuts after forty lines", () => {
  expect(excerpt("line\n".repeat(1000))).toBe("line\n".repeat(40).slice(0, -1));
});

it("cuts where it must, when there is no space, but not in the middle of a character", () => {
  expect(excerpt("a".repeat(102_400))).toBe("a".repeat(2000));
  expect(excerpt(`a${"😀".repeat(5000)}`)).toBe(`a${"😀".repeat(999)}`);
});
