/** The page as its host wants it: in a portal, by its address, by what is posted, and before the first script has run. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { HostPage } from "./harness/HostPage.js";
import { address, inbound, newPlace } from "./harness/place.js";
import { stage } from "./harness/stage.js";
import { until } from "./harness/until.js";

const { gateway, browser, host } = await stage({
  servers: { host: HostPage },
  variables: ({ host }) => ({ ALLOWED_ORIGINS: host.origin }),
});
host.embeds(gateway);

test("a portal chooses theme, title, language and header, changes them, and hears how many are unread", async (t) => {
  const place = newPlace();
  const page = await browser.open(t, "about:blank", { colorScheme: "light" });
  await page.page.exposeFunction("issue", () => gateway.token(place.tenantId));
  const script = `
    window.unread = [];
    window.AgentGateway = { getToken: () => window.issue() };
    window.begin = (options) => {
      window.widget = window.AgentGateway.mount(document.querySelector("#place"), options);
      window.widget.on("unread", (count) => unread.push(count));
    };
  `;
  await page.page.goto(host.page(`<script src="${gateway.url}/embed.js"></script><div id="place"></div>`, script));
  await page.page.evaluate((options) => window.begin(options), { ...place, title: "Sam Taylor", theme: "dark", header: false });
  const widget = page.frame("iframe");
  await widget.root.getByRole("log").or(widget.part("empty")).waitFor();
  const look = () =>
    widget.root.locator("html").evaluate((html) => ({
      lang: html.lang,
      scheme: getComputedStyle(html).colorScheme,
      background: getComputedStyle(document.body).backgroundColor,
      headers: document.querySelectorAll("header").length,
      name: document.querySelector("main").getAttribute("aria-label"),
    }));
  /** Waits until the widget has taken it. */
  const takes = async (...wanted) => {
    let now;
    await until(
      () => `${wanted}; there is ${JSON.stringify(now)}`,
      async () => isDeepStrictEqual([(now = await look()).scheme, now.headers, now.name, now.lang], wanted),
    );
    return now;
  };
  const dark = await takes("dark", 0, "Sam Taylor", "en");

  await page.page.evaluate(() => window.widget.update({ theme: "light", header: true, title: "Kim Park", lang: "de" }));
  await widget.root.getByText("Keine neueren Nachrichten").waitFor();
  const light = await takes("light", 1, "Kim Park", "de");
  assert.notEqual(light.background, dark.background);
  await page.page.evaluate(() => window.widget.update({ theme: "auto" }));
  await until("the device's own theme", async () => (await look()).scheme === "light dark");

  for (let count = 0; count < 40; count += 1) await gateway.publish(place, "inbound_message", inbound(`m${count}`, `Message ${count}`));
  await widget.message("m39").waitFor();
  await widget.root.getByRole("log").evaluate((log) => (log.scrollTop = 0));
  await widget.sees("to-latest");
  for (const messageId of ["new-1", "new-2"]) await gateway.publish(place, "inbound_message", inbound(messageId, "News"));
  await until("two are unread", () => page.page.evaluate(() => window.unread.at(-1) === 2));
  await widget.part("pill").click();
  await until("none is", () => page.page.evaluate(() => window.unread.at(-1) === 0));
  assert.deepEqual(page.problems(), []);
});

test("before the first script has run there is a skeleton, in the device's theme", async (t) => {
  for (const colorScheme of ["light", "dark"]) {
    const page = await browser.open(t, "about:blank", { colorScheme });
    let release;
    const held = new Promise((resolve) => (release = resolve));
    await page.page.route("**/*.js", async (route) => {
      await held;
      await route.continue();
    });
    const place = newPlace();
    await page.page.goto(address(gateway, place, gateway.token(place.tenantId)), { waitUntil: "commit" });
    const skeleton = page.page.locator("#app > .skeleton");
    await skeleton.waitFor();
    assert.ok((await skeleton.locator("i").first().boundingBox()).height > 20);
    assert.equal(await page.page.getByText("too old").isVisible(), false);
    release();
    await page.live();
    assert.equal(await skeleton.count(), 0);
    assert.deepEqual(page.problems(), []);
  }
});

test("nothing but the log scrolls, whatever a browser wants to bring into view", async (t) => {
  const place = newPlace();
  for (let count = 0; count < 60; count += 1) await gateway.publish(place, "inbound_message", inbound(`m${count}`, `Message ${count}`));
  const page = await browser.open(t, address(gateway, place, gateway.token(place.tenantId)));
  await page.message("m59").waitFor();
  await page.message("m0").evaluate((row) => row.scrollIntoView({ block: "start" }));
  await page.message("m59").evaluate((row) => row.scrollIntoView({ block: "start" }));
  const moved = await page.page.evaluate(() => {
    return [...document.querySelectorAll("*")].filter(({ role, scrollTop }) => role !== "log" && scrollTop !== 0).map(({ className }) => className);
  });
  assert.deepEqual(moved, []);
  assert.equal((await page.page.locator("header").boundingBox()).y, 0, "the header is where it was");
  const beyond = await page.page.evaluate(() => document.querySelector("main").scrollHeight - document.querySelector("main").clientHeight);
  assert.equal(beyond, 0, "nothing of the log is placed outside of it");
});
