/**
 * Measures what an agent on a slow line waits for: from the navigation to the first message that is seen, in a browser that
 * has nothing of the page yet, and in one that has. Figures, not a test: `npm run slow`.
 */
import { Broker } from "./harness/Broker.js";
import { Browser } from "./harness/Browser.js";
import { firstMessage } from "./harness/firstMessage.js";
import { Gateway } from "./harness/Gateway.js";
import { address, inbound, newPlace } from "./harness/place.js";
import { until } from "./harness/until.js";

/** A line of so many bytes a second each way, on which an answer takes so many milliseconds more. */
const LINE = { offline: false, latency: 800, downloadThroughput: 15_000, uploadThroughput: 15_000 };

const LOADS = 5;
const MESSAGES = 30;

const cleanups = [];
const run = { after: (cleanup) => cleanups.unshift(cleanup) };
try {
  const broker = await Broker.connect();
  run.after(() => broker.close());
  const gateway = await Gateway.start(run, broker, { RUST_LOG: "info" });
  const browser = await Browser.launch();
  run.after(() => browser.close());
  const place = newPlace();
  for (let index = 0; index < MESSAGES; index += 1) {
    await gateway.publish(place, "inbound_message", inbound(`m${index}`, `Message ${index} with some words in it`));
  }
  const times = { cold: [], warm: [] };
  for (let load = 0; load < LOADS; load += 1) {
    const widget = await browser.open(run, "about:blank");
    const { network, loaded } = await slowLine(widget);
    const link = address(gateway, place, gateway.token(place.tenantId));
    times.cold.push(await firstMessage(widget, link));
    if (load === 0) await tell(loaded);
    // Another page, as when the agent opens another conversation.
    await widget.page.goto("about:blank");
    times.warm.push(await firstMessage(widget, link));
    await network.detach();
    await widget.page.context().close();
  }
  for (const [cache, all] of Object.entries(times)) {
    all.sort((a, b) => a - b);
    say(`first message seen, ${cache} cache: ${seconds(all[LOADS >> 1])} median, ${seconds(all[0])} to ${seconds(all.at(-1))} of ${LOADS}`);
  }
} finally {
  for (const cleanup of cleanups) await cleanup();
}

/** Puts the page behind the slow line; `loaded` is what comes over it, by the requests' ids. */
async function slowLine({ page }) {
  const network = await page.context().newCDPSession(page);
  const loaded = new Map();
  network.on("Network.responseReceived", ({ requestId, type, response }) => loaded.set(requestId, { type, url: response.url }));
  network.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => Object.assign(loaded.get(requestId) ?? {}, { bytes: encodedDataLength }));
  await network.send("Network.enable");
  await network.send("Network.emulateNetworkConditions", LINE);
  return { network, loaded };
}

/** What the page consists of on the wire. */
async function tell(loaded) {
  const all = await until("all has come", () => [...loaded.values()].every(({ bytes }) => bytes !== undefined) && [...loaded.values()]);
  for (const { type, url, bytes } of all) say(`${type} ${new URL(url).pathname}: ${bytes} bytes`);
}

function seconds(value) {
  return `${(value / 1000).toFixed(2)} s`;
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
