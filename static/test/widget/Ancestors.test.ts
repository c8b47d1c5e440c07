import { expect, it } from "vitest";
import { Ancestors } from "../../src/widget/Ancestors";

const SELF = "https://gateway.example.com";

const allows = (list: string, origin: string, self = SELF) => new Ancestors(list, self).allow(origin);

it.each([
  ["'self'", "https://gateway.example.com"],
  ["https://portal.example.com", "https://portal.example.com"],
  ["HTTPS://Portal.Example.COM", "https://portal.example.com"],
  ["https://portal.example.com:8443", "https://portal.example.com:8443"],
  ["https://portal.example.com:443", "https://portal.example.com"],
  ["https://portal.example.com:*", "https://portal.example.com:9"],
  ["'self'   https://a.example \n https://b.example", "https://b.example"],
  ["https://*.example.com", "https://portal.example.com"],
  ["https://*.example.com", "https://a.b.example.com"],
  ["portal.example.com", "https://portal.example.com"],
  ["http://portal.example.com", "https://portal.example.com"],
  ["http://portal.example.com:80", "https://portal.example.com"],
  ["http://127.0.0.1:5173", "http://127.0.0.1:5173"],
  ["http://[::1]:5173", "http://[::1]:5173"],
  ["https:", "https://anyone.example"],
  ["*", "https://anyone.example:1234"],
])("lets the list %j allow %s", (list, origin) => {
  expect(allows(list, origin)).toBe(true);
});

it.each([
  // Nobody, and what looks like somebody.
  ["'none'", "https://gateway.example.com"],
  ["", "https://gateway.example.com"],
  ["'self'", "null"],
  ["*", "null"],
  ["*", ""],
  ["null", "null"],
  ["*", "file://"],
  ["*", "chrome-extension://abcdefgh"],
  ["*", "https://portal.example.com/path"],
  ["https://portal.example.com", "https://portal.example.com/"],
  // Another scheme or port.
  ["'self'", "http://gateway.example.com"],
  ["'self'", "https://gateway.example.com:8443"],
  ["https://portal.example.com", "http://portal.example.com"],
  ["https://portal.example.com", "https://portal.example.com:8443"],
  ["https://portal.example.com:8443", "https://portal.example.com"],
  ["portal.example.com", "http://portal.example.com"],
  ["https:", "http://portal.example.com"],
  ["wss://portal.example.com", "https://portal.example.com"],
  // A host that begins or ends like the allowed one.
  ["https://portal.example.com", "https://portal.example.com.evil.example"],
  ["https://portal.example.com", "https://evil-portal.example.com"],
  ["https://portal.example.com", "https://portalxexample.com"],
  ["https://*.example.com", "https://example.com"],
  ["https://*.example.com", "https://evilexample.com"],
  ["https://*.example.com", "https://portal.example.com.evil.example"],
  ["https://*.example.com:8443", "https://portal.example.com"],
  // What no list may say, or this page does not understand.
  ["https://*", "https://portal.example.com"],
  ["https://portal.*", "https://portal.example.com"],
  ["https://**.example.com", "https://portal.example.com"],
  ["https://portal.example.com/app", "https://portal.example.com"],
  ["https://user@portal.example.com", "https://portal.example.com"],
  ["self", "https://gateway.example.com"],
  ["'self';", "https://gateway.example.com"],
])("does not let the list %j allow %j", (list, origin) => {
  expect(allows(list, origin)).toBe(false);
});

it("takes the same page over TLS for itself, and a page without TLS only where it has none itself", () => {
  expect(allows("'self'", "https://gateway.example.com", "http://gateway.example.com")).toBe(true);
  expect(allows("'self'", "https://127.0.0.1:3012", "http://127.0.0.1:3012")).toBe(true);
  expect(allows("'self'", "https://127.0.0.1", "http://127.0.0.1:3012")).toBe(false);
  expect(allows("portal.example.com", "http://portal.example.com", "http://gateway.example.com")).toBe(true);
});
