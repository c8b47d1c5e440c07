import { createHmac } from "node:crypto";

/** A token with these claims; what is undefined is left out. */
export function sign(claims, secret, header = { alg: "HS256", typ: "JWT" }) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part(header)}.${part(claims)}`;
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

/** A token that claims to need no signature. */
export function unsigned(claims) {
  return sign(claims, "x", { alg: "none", typ: "JWT" }).replace(/[^.]*$/, "");
}

/** Now, in seconds since the epoch, as tokens count. */
export function now() {
  return Math.floor(Date.now() / 1000);
}
