import { after } from "node:test";
import { Broker } from "./Broker.js";
import { Browser } from "./Browser.js";
import { Gateway, showLogsOfFailures } from "./Gateway.js";

/**
 * What a file of tests in the browser works with: a broker, a gateway, Chromium, and `servers` by their names; all of it
 * is gone at the end. `variables` may depend on the servers, which are there first.
 */
export async function stage({ servers = {}, variables = {}, command } = {}) {
  const lasting = [];
  const started = {};
  for (const [name, server] of Object.entries(servers)) {
    started[name] = await server.start({ after: (cleanup) => lasting.push(cleanup) });
  }
  const broker = await Broker.connect();
  const chosen = typeof variables === "function" ? variables(started) : variables;
  const gateway = new Gateway(broker, chosen, command);
  showLogsOfFailures();
  const [browser] = await Promise.all([Browser.launch(), gateway.start()]);
  after(async () => {
    await browser.close();
    await gateway.remove();
    for (const cleanup of lasting) cleanup();
    await broker.close();
  });
  return { broker, gateway, browser, ...started };
}
