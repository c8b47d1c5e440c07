/** `getToken` has answered, and what it answered is no token. The message says what it looks like, and never quotes it. */
export class UnusableToken extends Error {
  constructor(what: string) {
    super(`getToken answered ${what}; it must answer the token alone, as a string`);
    this.name = "UnusableToken";
  }
}

/**
 * Reads what `getToken` answered. The body of a response often has white space around the token, and quotation marks
 * where the endpoint answers JSON: both are taken off. An opaque token may have any printable ASCII in it (RFC 6749,
 * appendix A.12), so the rest is the gateway's to judge.
 *
 * @throws {UnusableToken} when it is something else, such as an object or a page to sign in on
 * @throws {Error} when it is nothing at all
 */
export function readToken(answer: unknown): string {
  if (answer === undefined || answer === null) throw new Error("getToken answered no token");
  if (typeof answer !== "string") throw new UnusableToken(`a value of the type ${typeof answer}`);
  const token = unquoted(answer.trim()).trim();
  if (token === "" || token === "null" || token === "undefined") throw new Error("getToken answered no token");
  if (token.startsWith("<")) throw new UnusableToken("an HTML page, or other markup");
  if (/^[{[]/.test(token)) throw new UnusableToken("a JSON object or list");
  if (!/^[\x20-\x7e]+$/.test(token)) throw new UnusableToken("a text with line breaks or characters that no token has");
  return token;
}

function unquoted(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    return String(JSON.parse(text));
  } catch {
    throw new UnusableToken("a text that begins with a quotation mark and is no JSON string");
  }
}
