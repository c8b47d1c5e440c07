/** The gateway's page as an agent sees it, in a real browser. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Gateway } from "./harness/Gateway.js";
import { MediaServer } from "./harness/MediaServer.js";
import { address, inbound, newPlace, outbound } from "./harness/place.js";
import { Proxy } from "./harness/Proxy.js";
import { stage } from "./harness/stage.js";
import { until } from "./harness/until.js";

const { broker, gateway, browser, media } = await stage({ servers: { media: MediaServer } });

test("the page shows what the customer writes, before and after it is opened", async (t) => {
  const place = newPlace();
  const token = gateway.token(place.tenantId, { name: "Maya <i>Lindqvist</i>" });
  await gateway.publish(place, "inbound_message", inbound("early", "Is anybody there?"));
  const page = await browser.open(t, address(gateway, place, token));
  assert.equal(await page.text("early"), "Is anybody there?");
  await page.live();
  await gateway.publish(place, "inbound_message", inbound("late", "Hello?\nمرحبا 👋 https://example.com/a?b=c."));
  assert.equal(await page.text("late"), "Hello?\nمرحبا 👋 https://example.com/a?b=c.");

  const link = page.message("late").locator("a");
  assert.equal(await link.getAttribute("href"), "https://example.com/a?b=c");
  assert.equal(await link.getAttribute("target"), "_blank");
  assert.equal(await link.getAttribute("rel"), "noopener noreferrer");
  assert.deepEqual(await page.messageIds(), ["early", "late"]);
  assert.equal(await page.message("late").getAttribute("data-direction"), "in");
  assert.match(await page.page.locator("header").innerText(), /Reading as Maya <i>Lindqvist<\/i>/);
  assert.equal(await page.page.title(), place.conversationId);
  assert.doesNotMatch(page.page.url(), /token|#/, "the token is taken out of the address");
  assert.equal(await page.part("banner").count(), 0);
  assert.deepEqual(page.problems(), []);

  await page.page.reload();
  assert.equal(await page.text("late"), "Hello?\nمرحبا 👋 https://example.com/a?b=c.");
  assert.deepEqual(await page.messageIds(), ["early", "late"]);
  assert.deepEqual(page.problems(), []);
});

test("a conversation without messages is shown as empty once it is live", async (t) => {
  const place = newPlace();
  const page = await open(t, place);
  await page.sees("empty");
  await gateway.publish(place, "inbound_message", inbound("first", "Now there is one"));
  assert.equal(await page.text("first"), "Now there is one");
  await page.misses("empty");
  assert.deepEqual(page.problems(), []);
});

test("an agent's message gets its ticks: sent, delivered, read", async (t) => {
  const place = newPlace();
  const page = await open(t, place);
  await gateway.emit(place, "outbound_message", outbound("reply", "On its way"));
  assert.equal(await page.text("reply"), "On its way");
  assert.equal(await page.message("reply").getAttribute("data-direction"), "out");
  assert.equal(await page.message("reply").locator('[data-testid="tick"]').count(), 0, "no status is known yet");
  for (const status of ["sent", "delivered", "read"]) {
    await gateway.publish(place, "status_update", { messageId: "reply", status });
    await page.ticked("reply", status);
  }
  assert.equal(await page.part("tick").count(), 1);
  assert.deepEqual(page.problems(), []);
});

test("ticks that overtake each other, or their message, never go back", async (t) => {
  const place = newPlace();
  const page = await open(t, place);
  await gateway.emit(place, "outbound_message", outbound("overtaken", "One"));
  await gateway.publish(place, "status_update", { messageId: "overtaken", status: "read" });
  await page.ticked("overtaken", "read");
  for (const status of ["delivered", "sent", "failed"]) {
    await gateway.publish(place, "status_update", { messageId: "overtaken", status });
  }
  await gateway.publish(place, "status_update", { messageId: "unborn", status: "delivered" });
  await gateway.publish(place, "status_update", { messageId: "marker", status: "sent" });
  await gateway.emit(place, "outbound_message", outbound("marker", "Two"));
  // The statuses are in order: what came before the marker's has had its effect.
  await page.ticked("marker", "sent");
  await gateway.emit(place, "outbound_message", outbound("unborn", "Three"));
  await page.ticked("unborn", "delivered");
  await page.ticked("overtaken", "read");
  assert.equal(await page.part("tick").count(), 3);
  assert.deepEqual(page.problems(), []);
});

test("a message that could not be delivered says why", async (t) => {
  const place = newPlace();
  const page = await open(t, place);
  await gateway.emit(place, "outbound_message", outbound("lost", "Hello?"));
  const error = { code: 131026, title: "Message <b>undeliverable</b>" };
  await gateway.publish(place, "status_update", { messageId: "lost", status: "failed", error });
  await page.ticked("lost", "failed");
  const said = await page.message("lost").innerText();
  assert.ok(said.includes("Not delivered: Message <b>undeliverable</b>"), said);
  assert.deepEqual(page.problems(), []);
});

test("hostile content stays text", async (t) => {
  const place = newPlace();
  const token = gateway.token(place.tenantId, { name: '"><img src=x onerror=alert(1)>' });
  const texts = {
    image: '<img src=x onerror="alert(1)">',
    script: "</span><script>alert(1)</script>",
    frame: '<iframe srcdoc="<script>alert(1)</script>"></iframe>',
    url: "javascript:alert(1) JaVaScRiPt://x/%0aalert(1) data:text/html,<script>alert(1)</script>",
    link: 'https://example.com/"onmouseover="alert(1) and http://[bad <a href="javascript:alert(1)">x</a>',
    entity: "&lt;b&gt; &#60;img src=x onerror=alert(1)&#62; {{alert(1)}} ${alert(1)}",
  };
  const page = await browser.open(t, address(gateway, place, token));
  await page.live();
  for (const [messageId, text] of Object.entries(texts)) {
    await gateway.publish(place, "inbound_message", inbound(messageId, text));
    assert.equal(await page.text(messageId), text);
  }
  // The relay passes on what the portal gives it: nothing has looked at these.
  const media = {
    "media-script": { mediaUrl: "javascript:alert(1)", mediaType: "image/png" },
    "media-data": { mediaUrl: "data:text/html,<script>alert(1)</script>", mediaType: "text/html" },
    "media-image": { mediaUrl: " data:image/svg+xml,<svg onload=alert(1)>", mediaType: "image/svg+xml" },
    "media-file": { mediaUrl: "vbscript:x", text: "look" },
    '"><img src=x>': { text: "look at the id", mediaType: { no: "string" } },
  };
  for (const [messageId, payload] of Object.entries(media)) {
    await gateway.emit(place, "outbound_message", { messageId, ...payload });
    await page.message(messageId).waitFor();
  }
  assert.deepEqual(await page.messageIds(), [...Object.keys(texts), ...Object.keys(media)]);
  const addresses = await page.page.locator("main a").evaluateAll((links) => links.map(({ href }) => href));
  assert.deepEqual(addresses, ["https://example.com/"], "nothing but http and https is a link");
  assert.equal(await page.page.locator("main :is(img, script, iframe, object, embed, audio, video, b)").count(), 0);
  assert.deepEqual(page.problems(), []);
});

test("attachments are shown as what they are", async (t) => {
  const place = newPlace();
  const page = await open(t, place);
  await gateway.publish(place, "inbound_message", { messageId: "picture", mediaUrl: media.drawing("lamp", 32, 32), mediaType: "image/svg+xml" });
  const image = page.message("picture").locator("img");
  await until("the picture is loaded", () => image.evaluate(({ complete, naturalWidth }) => complete && naturalWidth > 0));
  const mediaUrl = "https://files.example.com/Return%20label.pdf";
  await gateway.publish(place, "inbound_message", { messageId: "document", mediaUrl, mediaType: "application/pdf", text: "See?" });
  const file = page.message("document").locator(".file");
  assert.match(await file.innerText(), /Return label\.pdf\s+files\.example\.com/);
  assert.equal(await file.getAttribute("href"), mediaUrl);
  assert.equal(await page.text("document"), "See?");
  // The icon comes within the page, and nothing keeps the browser from drawing it.
  const icon = await page.page.locator('link[rel="icon"]').evaluate(async ({ href, type }) => {
    const image = new Image();
    image.src = href;
    await image.decode();
    return { href, type, width: image.naturalWidth };
  });
  assert.match(icon.href, /^data:image\/svg\+xml,/);
  assert.equal(icon.type, "image/svg+xml");
  assert.ok(icon.width > 0);
  assert.deepEqual(page.problems(), []);
});

test("the banner counts down while the gateway is away, and goes when it is back on its port", async (t) => {
  const own = await Gateway.start(t, broker);
  const place = newPlace();
  const page = await open(t, place, own);
  await own.publish(place, "inbound_message", inbound("before", "Before"));
  assert.equal(await page.text("before"), "Before");
  await own.stop();
  const banner = await page.sees("banner", { state: "offline" });
  const countdown = banner.locator(".countdown");
  await until("a countdown", async () => /^Next try in [1-8] s$/.test(await countdown.innerText()));
  await page.sees("state", { state: "offline" });
  assert.equal(await page.text("before"), "Before", "what was there stays");
  assert.equal(await page.part("empty").count(), 0);

  await own.publish(place, "inbound_message", inbound("meanwhile", "Meanwhile"));
  const backOnline = await page.glimpses("back-online");
  await own.start();
  await page.misses("banner");
  await backOnline();
  await page.live();
  assert.equal(await page.text("meanwhile"), "Meanwhile");
  // The gateway has forgotten what it knew, so that the page cannot know that nothing is missing.
  await page.sees("reset-notice");
  await own.publish(place, "inbound_message", inbound("after", "After"));
  assert.equal(await page.text("after"), "After");
  assert.deepEqual(await page.messageIds(), ["before", "meanwhile", "after"]);
  await page.misses("back-online");
  assert.deepEqual(page.problems({ outage: true }), []);
});

test("after a cut of the network the page has what it missed, once and without a notice", async (t) => {
  const place = newPlace();
  const network = await Proxy.start(t, gateway.port);
  const page = await open(t, place, network);
  const texts = [];
  for (let round = 1; round <= 2; round += 1) {
    const [before, during, after] = ["before", "during", "after"].map((when) => `${when}-${round}`);
    texts.push(before, during, after);
    await gateway.publish(place, "inbound_message", inbound(before, before));
    assert.equal(await page.text(before), before);
    network.cut();
    await page.sees("banner");
    await gateway.publish(place, "inbound_message", inbound(during, during));
    network.mend();
    await page.misses("banner");
    assert.equal(await page.text(during), during);
    await page.live();
    await gateway.publish(place, "inbound_message", inbound(after, after));
    assert.equal(await page.text(after), after);
  }
  assert.deepEqual(await page.messageIds(), texts);
  assert.equal(await page.part("reset-notice").count(), 0);
  assert.deepEqual(page.problems({ outage: true }), []);
});

test("retry now ends the wait for the next try", async (t) => {
  const network = await Proxy.start(t, gateway.port);
  const page = await browser.open(t, "about:blank");
  const { clock } = page.page;
  await clock.install();
  const place = newPlace();
  await page.page.goto(address(network, place, gateway.token(place.tenantId)));
  await page.live();
  // From here on the page's time passes only as the test has it. The clock stops at no moment that has been, and stops
  // before the connection is taken for dead.
  await clock.pauseAt(await page.page.evaluate(() => Date.now() + 15_000));
  network.cut();
  // The third wait is the first that lasts for seconds, whatever chance adds to it.
  const countdown = page.part("banner").locator(".countdown");
  await until("a long wait", async () => {
    await clock.runFor(100);
    return (await countdown.count()) === 1 && /in [3-8] s/.test(await countdown.innerText());
  });
  network.mend();
  await page.part("retry").click();
  // On the page's clock the wait would not be over before this test is.
  await until("the page is live", async () => {
    await clock.runFor(1);
    return (await page.part("state", { state: "live" }).count()) === 1;
  });
  assert.equal(await page.part("banner").count(), 0);
  assert.deepEqual(page.problems({ outage: true }), []);
});

test("a token that is refused stops the page, which says so", async (t) => {
  const place = newPlace();
  const { tenantId } = place;
  const elsewhere = newPlace();
  for (const [reason, token] of [
    ["invalid-token", "garbage"],
    ["token-expired", gateway.token(tenantId, { exp: 1_700_000_000 })],
    ["forbidden", gateway.token(elsewhere.tenantId)],
    ["forbidden", gateway.token(tenantId, { conversations: ["other"] })],
  ]) {
    const page = await browser.open(t, address(gateway, place, token));
    await page.sees("stopped", { reason });
    await page.sees("state", { state: "stopped" });
    assert.equal(await page.part("banner").count(), 0);
    assert.equal(await page.part("empty").count(), 0);
    assert.deepEqual(page.problems(), [], reason);
  }
});

test("a link without a token or a conversation stops the page, and a token that comes later starts it", async (t) => {
  const place = newPlace();
  const page = await browser.open(t, `${gateway.url}/`);
  await page.sees("stopped", { reason: "missing-conversation" });
  const link = `${gateway.url}/widget?${new URLSearchParams(place)}`;
  await page.page.goto(link);
  await page.sees("stopped", { reason: "missing-token" });
  await page.page.goto(`${link}#token=${gateway.token(place.tenantId)}`);
  await page.live();
  await gateway.publish(place, "inbound_message", inbound("welcome", "Welcome"));
  assert.equal(await page.text("welcome"), "Welcome");
  assert.deepEqual(page.problems(), []);
});

/** Opens the page by way of `at`, a gateway or what is in front of the shared one, and waits until it is live. */
async function open(t, place, at = gateway) {
  const issuer = at instanceof Gateway ? at : gateway;
  const page = await browser.open(t, address(at, place, issuer.token(place.tenantId)));
  await page.live();
  return page;
}
