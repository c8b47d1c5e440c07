/** A scan of every state of the page, light and dark, wide and narrow. */
import assert from "node:assert/strict";
import { test } from "node:test";
import axe from "axe-core";
import { Gateway } from "./harness/Gateway.js";
import { MediaServer } from "./harness/MediaServer.js";
import { Nginx } from "./harness/Nginx.js";
import { address, inbound, newPlace, outbound } from "./harness/place.js";
import { Proxy } from "./harness/Proxy.js";
import { stage } from "./harness/stage.js";

const { broker, gateway, browser, media } = await stage({ servers: { media: MediaServer } });

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
    await page.rests();
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

test("after a gap the notice can be read and dismissed by keyboard, and the scan finds nothing wrong", async (t) => {
  const own = await Gateway.start(t, broker);
  const place = newPlace();
  const page = await browser.open(t, address(own, place, own.token(place.tenantId)));
  await page.live();
  await own.publish(place, "inbound_message", inbound("before", "Before"));
  await page.message("before").waitFor();
  await own.stop();
  await page.sees("banner");
  await own.start();
  const notice = await page.sees("reset-notice");
  assert.equal(await notice.getAttribute("role"), "status");
  await scan(page, "the notice");
  await notice.getByRole("button").focus();
  await page.page.keyboard.press("Enter");
  await page.misses("reset-notice");
});

/** Looks for what the page does wrong, and for what is wider than it. */
async function scan({ page }, scene) {
  await page.evaluate(axe.source);
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
