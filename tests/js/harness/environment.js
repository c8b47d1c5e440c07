/** What the tests are told from outside. */
import { accessSync, constants } from "node:fs";

/** Ends the process with one line: what is missing is not a test's failure, and a stack trace says nothing about it. */
export function giveUp(line) {
  process.stderr.write(`tests: ${line}\n`);
  process.exit(1);
}

export const amqpUrl = process.env.AMQP_URL ?? "amqp://guest:guest@127.0.0.1:5672/%2f";

/** The built gateway. */
export function gatewayBin() {
  return program("GATEWAY_BIN", process.env.GATEWAY_BIN);
}

/** The browser. */
export function chromium() {
  return program("CHROMIUM", process.env.CHROMIUM ?? "/usr/bin/chromium");
}

/** The proxy that people put in front of it. */
export function nginx() {
  return program("NGINX", process.env.NGINX ?? "/usr/sbin/nginx");
}

function program(variable, path) {
  try {
    accessSync(path ?? "", constants.X_OK);
    return path;
  } catch {
    const trouble = path ? `${path} cannot be run` : `${variable} is not set`;
    return giveUp(`${trouble}: \`make test-js\` sets ${variable} to the path of a program`);
  }
}
