/** A scan of every state of the page, light and dark, wide and narrow. */
import assert from "node:assert/strict";
import { test } from "node:test";
import axe from "axe-core";
import { everything } from "./harness/everything.js";
import { Gateway } from "./harness/Gateway.js";
import { HistoryServer, past } from "./harness/HistoryServer.js";
import { MediaServer } from "./harness/MediaServer.js";
import { Nginx } from "./harness/Nginx.js";
import { Playground } from "./harness/Playground.js";
import { address, inbound, newPlace, outbound } from "./harness/place.js";
import { Proxy } from "./harness/Proxy.js";
import { stage } from "./harness/stage.js";

const { broker, gateway, browser, media, history } = await stage({
  servers: { media: MediaServer, history: HistoryServer },
  variables: ({ history }) => ({ HISTORY_URL_TEMPLATE: history.template }),
});

const LOOKS = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  "280 pixels wide": { colorScheme: "light", viewport: { width: 280, height: 560 } },
  "280 pixels wide and dark": { colorScheme: "dark", viewport: { width: 280, height: 560 } },
};

for (const [look, options] of Object.entries(LOOKS)) {
  test(`a scan finds nothing wrong with any state of the page: ${look}`, async (t) => {
    const place = newPlace();
    const network = await Proxy.start(t, gateway.port);
    const page = await browser.open(t, address(network, place, gateway.token(place.tenantId)), options);
    await page.live();
    await scan(page, "empty");
    await converse(place, page);
    await scan(page, "busy");
    await page.page.getByRole("log").focus();
    await page.page.keyboard.press("Home");
    await page.sees("to-latest");
    await gateway.publish(place, "inbound_message", inbound("new", "News"));
    await page.sees("pill");
    await scan(page, "reading further up");
    await page.part("pill").click();
    await page.sees("unread-line");
    await page.rests();
    await scan(page, "the unread line");
    await page.message("image").scrollIntoViewIfNeeded();
    await page.part("picture").click();
    await page.sees("lightbox");
    await scan(page, "an enlarged image");
    await page.page.keyboard.press("Escape");
    network.cut();
    await page.sees("banner", { state: "offline" });
    await scan(page, "offline");
    const backOnline = await page.glimpses("back-online");
    network.mend();
    await backOnline();
    await scan(page, "back online");

    const stopped = await browser.open(t, address(gateway, place, "garbage"), options);
    await stopped.sees("stopped");
    await scan(stopped, "stopped");

    const nginx = await Nginx.prepare(t);
    await nginx.start(`location / { proxy_pass http://127.0.0.1:${gateway.port}; }`);
    const refused = await browser.open(t, address(nginx, place, gateway.token(place.tenantId)), options);
    await refused.sees("setting");
    await scan(refused, "stopped, with what is to be set");
  });
}

for (const [look, options] of Object.entries(LOOKS)) {
  test(`a scan finds nothing wrong with any type of message, its details, or what the history does: ${look}`, async (t) => {
    const place = newPlace();
    const page = await browser.open(t, address(gateway, place, gateway.token(place.tenantId)), options);
    await page.live();
    await everything(gateway, place, page, media);
    await scan(page, "every type of message");
    await page.message("reply-out").getByTestId("details-button").focus();
    await page.page.keyboard.press("Enter");
    await page.sees("details");
    await scan(page, "a message's details");

    const old = newPlace();
    history.hold();
    t.after(() => history.release());
    const slow = await browser.open(t, address(gateway, old, gateway.token(old.tenantId)), options);
    await slow.sees("skeleton");
    await slow.live();
    await scan(slow, "the skeleton");
    await gateway.publish(old, "inbound_message", inbound("now", "Now"));
    await slow.sees("history", { state: "loading" });
    await scan(slow, "older messages on their way");
    history.failing = 503;
    t.after(() => (history.failing = undefined));
    history.release();
    await slow.sees("history", { state: "failed" });
    await scan(slow, "older messages that did not come");
    history.failing = undefined;
    history.add(old, ...past(3));
    await slow.part("history-retry").click();
    await slow.sees("history", { state: "complete" });
    await scan(slow, "the beginning");
  });
}

test("after a gap a line stands where messages may be missing, and stays there, and the scan finds nothing wrong", async (t) => {
  const own = await Gateway.start(t, broker);
  const place = newPlace();
  const page = await browser.open(t, address(own, place, own.token(place.tenantId)));
  await page.live();
  await own.publish(place, "inbound_message", inbound("before", "Before"));
  await page.message("before").waitFor();
  await own.stop();
  await page.sees("banner");
  await own.start();
  const line = await page.sees("reset-notice");
  assert.equal(await line.evaluate((element) => element.previousElementSibling.dataset.messageId), "before");
  await own.publish(place, "inbound_message", inbound("after", "After"));
  await page.message("after").waitFor();
  assert.equal(await line.evaluate((element) => element.nextElementSibling.dataset.messageId), "after");
  await page.misses("back-online");
  await scan(page, "a gap");
});

test("a scan finds nothing wrong with the playground, the widgets in it included", async (t) => {
  for (const options of [{ colorScheme: "light" }, { colorScheme: "dark" }, { colorScheme: "light", viewport: { width: 390, height: 844 } }]) {
    const dev = await Gateway.start(t, broker, {}, ["dev"]);
    const playground = await Playground.open(t, browser, dev, options);
    await playground.press("customer-random", "inbound_message confirmed");
    await playground.press("agent-random", "outbound_message");
    await scan(playground, `the playground: ${JSON.stringify(options)}`);
  }
});

/** Looks for what the page does wrong, and for what is wider than it. */
async function scan({ page }, scene) {
  for (const frame of page.frames()) await frame.evaluate(axe.source);
  const findings = await page.evaluate(async () => {
    const ending = document.getAnimations().filter(({ effect }) => effect.getTiming().iterations !== Infinity);
    // One whose element goes is cancelled, which is an end as well.
    await Promise.allSettled(ending.map(({ finished }) => finished));
    const { violations } = await window.axe.run(document, { resultTypes: ["violations"] });
    return violations.map(({ id, impact, nodes }) => `${impact}: ${id} ${nodes.map(({ html }) => html.slice(0, 120)).join(" ")}`);
  });
  assert.deepEqual(findings, [], scene);
  const { wide, width } = await page.evaluate(() => ({
    width: document.documentElement.clientWidth,
    wide: [...document.querySelectorAll("main *")]
      .filter((element) => !element.closest(".unseen, .header-names") && element.getBoundingClientRect().right > innerWidth + 0.5)
      .map(({ outerHTML }) => outerHTML.slice(0, 80)),
  }));
  assert.ok(width > 0);
  assert.deepEqual(wide, [], `${scene}: nothing is wider than the page`);
}

/** Something of everything. */
async function converse(place, page) {
  const publish = (messageId, text, more) => gateway.publish(place, "inbound_message", inbound(messageId, text, more));
  for (let count = 0; count < 12; count += 1) await publish(`m${count}`, `Message ${count} with some words in it`);
  await publish("link", `https://example.com/${"long-".repeat(30)}`);
  await publish("image", "A caption", { mediaUrl: media.drawing("scan", 300, 200) });
  await publish("voice", undefined, { mediaUrl: media.voice });
  await publish("file", undefined, { mediaUrl: `${media.url}/A%20name%20that%20is%20rather%20long%20for%20a%20file.pdf` });
  await publish("other", "Somebody else", { from: "447700900999" });
  // The relay is faster than the queue: what comes before the rest would stand above it, out of view.
  await page.message("other").waitFor();
  for (const status of ["sent", "delivered", "read", "failed"]) {
    await gateway.emit(place, "outbound_message", outbound(status, `This was ${status}`));
    const error = status === "failed" ? { error: { code: 131026, title: "Message undeliverable" } } : {};
    await gateway.publish(place, "status_update", { messageId: status, status, ...error });
    await page.ticked(status, status);
  }
  await page.message("image").locator('[data-loaded="true"]').waitFor();
}
