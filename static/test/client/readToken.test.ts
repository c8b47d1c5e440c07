import { expect, it } from "vitest";
import { readToken, UnusableToken } from "../../src/client/readToken";

it.each([
  ["eyJh.eyJz.c2ln", "eyJh.eyJz.c2ln"],
  [" eyJh.eyJz.c2ln\r\n", "eyJh.eyJz.c2ln"],
  ["\ufeffeyJh.eyJz.c2ln", "eyJh.eyJz.c2ln"],
  ['"eyJh.eyJz.c2ln"\n', "eyJh.eyJz.c2ln"],
  ['"eyJh.eyJz.c2ln\\n"', "eyJh.eyJz.c2ln"],
  ['"opaque\\/with+slash=="', "opaque/with+slash=="],
  ["2YotnFZFEjr1zCsicMWpAA", "2YotnFZFEjr1zCsicMWpAA"],
])("reads %j as the token %s", (answer, token) => {
  expect(readToken(answer)).toBe(token);
});

it.each([undefined, null, "", " \n", '""', "null", '"null"', "undefined"])("finds no token in %j", (answer) => {
  expect(() => readToken(answer)).toThrow("getToken answered no token");
  expect(() => readToken(answer)).not.toThrow(UnusableToken);
});

it.each([
  [{ token: "eyJh.eyJz.c2ln" }, "a value of the type object"],
  [42, "a value of the type number"],
  ["<!doctype html>\n<title>Sign in</title>", "an HTML page"],
  ['{"token":"eyJh.eyJz.c2ln"}', "a JSON object or list"],
  ['["eyJh.eyJz.c2ln"]', "a JSON object or list"],
  ['"{\\"token\\":\\"eyJh.eyJz.c2ln\\"}"', "a JSON object or list"],
  ['"eyJh.eyJz.c2ln', "a text that begins with a quotation mark and is no JSON string"],
  ["eyJh.eyJz.c2ln\neyJh.eyJz.c2ln", "a text with line breaks"],
  ["eyJh.eyJz.c2ln…", "a text with line breaks or characters that no token has"],
])("refuses %j, says what it looks like, and does not quote it", (answer, what) => {
  let error: unknown;
  try {
    readToken(answer);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toBeInstanceOf(UnusableToken);
  expect((error as Error).message).toContain(`getToken answered ${what}`);
  expect((error as Error).message).not.toContain("eyJ");
});
