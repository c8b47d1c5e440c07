/** What an agent who reads all day must not lose: the place, the focus, and what is new. */
import assert from "node:assert/strict";
import { test } from "node:test";
import axe from "axe-core";
import { HostPage } from "./harness/HostPage.js";
import { MediaServer } from "./harness/MediaServer.js";
import { address, inbound, newPlace, outbound } from "./harness/place.js";
import { Proxy } from "./harness/Proxy.js";
import { stage } from "./harness/stage.js";
import { until } from "./harness/until.js";

const { gateway, browser, host } = await stage({
  servers: { media: MediaServer, host: HostPage },
  variables: ({ host }) => ({ ALLOWED_ORIGINS: host.origin }),
});
host.embeds(gateway);

/** Counts the notes that begin to sound, and says whether they may. */
const LISTEN = () => {
  window.notes = 0;
  window.AudioContext = class extends AudioContext {
    constructor() {
      super();
      window.audible = () => this.state === "running";
    }
  };
  const { start } = OscillatorNode.prototype;
  OscillatorNode.prototype.start = function (...when) {
    window.notes += 1;
    return start.apply(this, when);
  };
};

test("“Read more” on the last message leaves the reader where the text was cut, and the keyboard with it", async (t) => {
  const { page, publish } = await open(t);
  for (let count = 0; count < 10; count += 1) await publish(`m${count}`, `Message ${count}`);
  await publish("long", "All work and no play makes a long message. ".repeat(400));
  const more = page.message("long").getByTestId("read-more");
  await more.waitFor();
  await page.rests();
  const place = () => page.message("long").evaluate((row) => Math.round(row.getBoundingClientRect().top));
  const before = await place();
  await more.focus();
  await page.page.keyboard.press("Enter");
  await more.waitFor({ state: "detached" });
  await page.rests();
  assert.equal(await place(), before, "the message begins where it began");
  assert.equal(await page.page.evaluate(() => document.activeElement.closest("article")?.dataset.messageId), "long");
  await page.sees("to-latest");
  await publish("next", "Next");
  await page.sees("pill");
  assert.equal(await place(), before, "and stays there");
  assert.deepEqual(page.problems(), []);
});

test("the pill counts the customer's messages alone, and leads to the line above the first of them", async (t) => {
  const { page, place, publish } = await open(t);
  for (let count = 0; count < 60; count += 1) await publish(`m${count}`, `Message ${count}`);
  await page.message("m59").waitFor();
  await page.page.getByRole("log").focus();
  await page.page.keyboard.press("Home");
  await page.sees("to-latest");
  await gateway.emit(place, "outbound_message", outbound("own", "Mine"));
  for (let count = 0; count < 30; count += 1) await publish(`new-${count}`, `News ${count}`);
  await gateway.emit(place, "outbound_message", outbound("own-too", "Mine, too"));
  const pill = page.part("pill");
  await until("thirty are new", async () => (await pill.innerText()).trim() === "30 new messages");
  await pill.click();
  const line = await page.sees("unread-line");
  await page.rests();
  const view = await page.page.evaluate(() => {
    const rect = (selector) => document.querySelector(selector).getBoundingClientRect();
    const edge = rect("[role=log]").top;
    return { line: rect("[data-testid=unread-line]").top - edge, first: rect('[data-message-id="new-0"]').top - edge };
  });
  assert.ok(view.line >= 0 && view.line < view.first && view.first < 120, JSON.stringify(view));
  assert.equal(await line.evaluate((element) => element.nextElementSibling.dataset.messageId), "new-0");
  // They are not new any more.
  await page.misses("pill");
  await page.part("to-latest").click();
  await page.misses("to-latest");
  await publish("later", "Later");
  await page.message("later").waitFor();
  assert.equal(await line.count(), 1, "the line stays where it was drawn");
  assert.deepEqual(page.problems(), []);
});

test("a bell that is on says why it is silent after a reload, and what to do; that does not turn it off", async (t) => {
  const { page, publish } = await open(t, {}, LISTEN);
  await page.part("sound").click();
  await audible(page);
  await publish("heard", "Heard");
  await until("the chime", () => page.page.evaluate(() => window.notes === 2));
  assert.equal(await page.part("sound-waits").count(), 0);

  await page.page.reload();
  await page.live();
  const hint = await page.sees("sound-waits");
  assert.match(await hint.innerText(), /Click anywhere, or press a key/);
  await publish("silent", "Silent");
  await page.message("silent").waitFor();
  // The bell itself is where people click.
  await page.part("sound").click();
  await page.misses("sound-waits");
  assert.equal(await page.part("sound").getAttribute("aria-pressed"), "true");
  await audible(page);
  await publish("again", "Again");
  await until("the chime again", () => page.page.evaluate(() => window.notes === 2));
  assert.deepEqual(page.problems(), []);
});

test("what came while the connection was cut rings, and is counted, like what comes live", async (t) => {
  const place = newPlace();
  const network = await Proxy.start(t, gateway.port);
  const { page, publish } = await open(t, {}, LISTEN, { place, at: network });
  await publish("old", "Old");
  await page.message("old").waitFor();
  await page.part("sound").click();
  await audible(page);
  await page.page.evaluate(() => {
    Object.defineProperty(document, "hidden", { value: true, configurable: true });
    document.dispatchEvent(new Event("visibilitychange"));
  });
  network.cut();
  await page.sees("banner");
  await publish("one", "One");
  await publish("two", "Two");
  network.mend();
  await page.live();
  await page.message("two").waitFor();
  await until("the chime", () => page.page.evaluate(() => window.notes === 2));
  await until("both are counted", async () => (await page.page.title()).startsWith("(2) "));
  assert.equal(await page.message("old").count(), 1);
  assert.deepEqual(page.problems({ outage: true }), []);
});

test("at 280 pixels the day's heading covers no text halfway", async (t) => {
  const { page, publish } = await open(t, { viewport: { width: 280, height: 560 } });
  for (let count = 0; count < 30; count += 1) await publish(`m${count}`, `Message ${count} with enough words for two lines`);
  await page.message("m29").waitFor();
  await page.page.getByRole("log").evaluate((log) => (log.scrollTop -= 333));
  await page.rests();
  const heading = await page.page.evaluate(() => {
    const log = document.querySelector("[role=log] .log-content");
    const style = getComputedStyle(log);
    const inner = log.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const all = [...document.querySelectorAll(".day h2")].map((h2) => h2.getBoundingClientRect());
    const [h2] = all;
    const under = document.elementsFromPoint(h2.left + 4, h2.top + h2.height / 2).map(({ tagName }) => tagName);
    return { wide: h2.width >= inner, opaque: getComputedStyle(document.querySelector(".day h2")).backgroundColor, first: under[0], atTop: h2.top - log.parentElement.getBoundingClientRect().top };
  });
  assert.equal(heading.atTop, 0, "it stands at the upper edge");
  assert.equal(heading.wide, true, "it is as wide as the log: there is nothing beside it");
  assert.equal(heading.first, "H2");
  assert.match(heading.opaque, /^rgb\(/, "nothing shines through");
});

test("what is heard of a message begins with the customer's name, where that is known", async (t) => {
  const { page, publish } = await open(t, { query: { title: "Sam Taylor" } });
  await publish("titled", "By the portal");
  await publish("named", "By the webhook", { fromName: "Samuel" });
  await page.message("named").waitFor();
  const heard = await page.page.getByRole("log").ariaSnapshot();
  assert.match(heard, /Sam Taylor:[^]*By the portal[^]*Samuel:[^]*By the webhook/);
  assert.doesNotMatch(heard, /447700900123/);
});

test("only what is new is heard: nothing that is put into the page above it", async (t) => {
  const place = newPlace();
  for (let count = 0; count < 200; count += 1) await gateway.publish(place, "inbound_message", inbound(`m${count}`, `Message ${count}`));
  const { page, publish } = await open(t, {}, undefined, { place });
  await page.message("m0").waitFor({ state: "attached" });
  await publish("new", "New");
  await page.message("new").waitFor();
  const live = await page.part("message").evaluateAll((rows) => rows.filter((row) => row.getAttribute("aria-live") !== "off").map(({ dataset }) => dataset.messageId));
  assert.deepEqual(live, ["new"]);
});

test("two widgets in one page are two landmarks with names of their own", async (t) => {
  const place = newPlace();
  const tag = (title) => `<script src="${gateway.url}/embed.js" data-tenant-id="${place.tenantId}" data-conversation-id="${place.conversationId}" data-title="${title}"></script>`;
  const widget = await browser.open(t, "about:blank", { viewport: { width: 700, height: 1300 } });
  await widget.page.exposeFunction("issue", () => gateway.token(place.tenantId));
  await widget.page.goto(host.page(`<h1>Portal</h1>${tag("Sam Taylor")}${tag("Kim Park")}`, "window.AgentGateway = { getToken: () => window.issue() };"));
  for (const index of [0, 1]) await widget.frame(`iframe >> nth=${index}`).live();
  for (const frame of widget.page.frames()) await frame.evaluate(axe.source);
  const violations = await widget.page.evaluate(async () => {
    const { violations } = await window.axe.run(document, { runOnly: ["landmark-unique", "landmark-no-duplicate-main", "frame-title", "frame-title-unique", "region"] });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ target }) => target)}`);
  });
  assert.deepEqual(violations.filter((violation) => violation.startsWith("landmark-unique")), []);
  const names = await Promise.all([0, 1].map((index) => widget.frame(`iframe >> nth=${index}`).root.getByRole("main").getAttribute("aria-label")));
  assert.deepEqual(names, ["Sam Taylor", "Kim Park"]);
});

test("a link that is broken for good offers no further try, and one that may work does", async (t) => {
  const place = { ...newPlace(), conversationId: "no such/id" };
  const broken = await browser.open(t, address(gateway, place, gateway.token(place.tenantId)));
  const panel = await broken.sees("stopped", { reason: "invalid-conversation" });
  assert.equal(await panel.getByRole("button").count(), 0);
  const refused = await browser.open(t, address(gateway, newPlace(), gateway.token("elsewhere")));
  assert.equal(await (await refused.sees("stopped", { reason: "forbidden" })).getByRole("button", { name: "Try again" }).count(), 1);
});

/** Waits until sound is ready, for which a browser takes a moment after the gesture. */
async function audible(page) {
  await until("sound is ready", () => page.page.evaluate(() => window.audible?.()));
}

async function open(t, { query = {}, ...options } = {}, script = undefined, { place = newPlace(), at = gateway } = {}) {
  const page = await browser.open(t, "about:blank", options);
  if (script) await page.page.addInitScript(script);
  await page.page.goto(address(at, place, gateway.token(place.tenantId), query));
  await page.live();
  const publish = (messageId, text, more) => gateway.publish(place, "inbound_message", inbound(messageId, text, more));
  return { page, place, publish };
}
