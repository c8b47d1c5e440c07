import { randomBytes } from "node:crypto";

/** A name that nobody else uses. */
export function unique(prefix) {
  return `${prefix}-${randomBytes(6).toString("hex")}`;
}
