import { readFileSync } from "node:fs";

/** The version of all that is built here, which is the program's. */
export const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
