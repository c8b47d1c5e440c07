/** The page where the agent's device is set to something else, prints, or has the page behind another; and where the focus goes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { address, inbound, newPlace, outbound } from "./harness/place.js";
import { Proxy } from "./harness/Proxy.js";
import { stage } from "./harness/stage.js";
import { until } from "./harness/until.js";

const { gateway, browser } = await stage();

test("what has the focus keeps it, or gives it to the log, when trying again fails and when it works", async (t) => {
  const place = newPlace();
  const network = await Proxy.start(t, gateway.port);
  const page = await browser.open(t, address(network, place, gateway.token(place.tenantId)));
  await page.live();
  network.cut();
  const banner = page.part("banner", { state: "offline" });
  await banner.waitFor();
  const retry = page.part("retry");
  // A network that swallows everything: the try that the key begins stays under way.
  network.mend();
  network.delay(3_000);
  await retry.focus();
  await page.page.keyboard.press("Enter");
  await page.sees("banner", { state: "connecting" });
  assert.equal(await retry.getAttribute("aria-disabled"), "true");
  // Two frames: what a browser takes the focus from, it has done then.
  await page.page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  assert.equal(await isFocused(retry), true);

  const stopped = await browser.open(t, address(gateway, place, "garbage"));
  await stopped.sees("stopped");
  const again = stopped.page.getByRole("button", { name: "Try again" });
  await again.focus();
  const token = gateway.token(place.tenantId);
  await stopped.page.evaluate((token) => (location.hash = `token=${token}`), token);
  await stopped.live();
  await until("the page has the focus that the button had", () => isFocused(stopped.page.getByRole("main")));
});

test("where the agent has chosen all colours, lines and words say what surfaces and dots did", async (t) => {
  const place = newPlace();
  const look = { forcedColors: "active", viewport: { width: 280, height: 560 } };
  const page = await browser.open(t, address(gateway, place, gateway.token(place.tenantId)), look);
  await page.live();
  for (const status of ["delivered", "read"]) {
    await gateway.emit(place, "outbound_message", outbound(status, `This was ${status}`));
    await gateway.publish(place, "status_update", { messageId: status, status });
    await page.ticked(status, status);
  }
  const state = await page.part("state").boundingBox();
  assert.ok(state.width > 30, `the state is in words: ${state.width} pixels wide`);
  const seen = await page.page.evaluate(() => {
    const style = (selector) => getComputedStyle(document.querySelector(selector));
    return {
      bubble: style(".bubble").borderTopStyle,
      heading: style(".day h2").borderTopStyle,
      ticksDiffer: style('.tick[data-status="read"]').color !== style('.tick[data-status="delivered"]').color,
    };
  });
  assert.deepEqual(seen, { bubble: "solid", heading: "solid", ticksDiffer: true });
});

test("on paper is what is around the view, all of it, without buttons and without empty pages", async (t) => {
  const place = newPlace();
  const page = await browser.open(t, address(gateway, place, gateway.token(place.tenantId)));
  await page.live();
  for (let count = 0; count < 120; count += 1) {
    await gateway.emit(place, "outbound_message", outbound(`m${count}`, `Line ${count}\nand another`));
  }
  await page.message("m119").waitFor();
  await page.page.getByRole("log").evaluate((log) => (log.scrollTop /= 2));
  await page.sees("to-latest");
  await page.rests();
  const top = () => page.page.getByRole("log").evaluate((log) => log.scrollTop);
  const before = await top();
  await page.page.pdf();
  assert.equal(await top(), before, "printing moves nothing");

  await page.page.emulateMedia({ media: "print" });
  const paper = await page.page.evaluate(() => {
    const rows = [...document.querySelectorAll("[data-message-id]")].map((row) => row.getBoundingClientRect());
    const heights = rows.reduce((sum, { height }) => sum + height, 0);
    return {
      cut: ["html", "body", ".page", ".list", ".log"].filter((part) => getComputedStyle(document.querySelector(part)).overflowY !== "visible"),
      empty: rows.at(-1).bottom - rows[0].top - heights,
      buttons: [...document.querySelectorAll("button")].filter((button) => button.checkVisibility()).length,
    };
  });
  assert.deepEqual(paper, { cut: [], empty: 0, buttons: 0 });
});

test("nothing moves for those who do not want it", async (t) => {
  const place = newPlace();
  const page = await browser.open(t, address(gateway, place, gateway.token(place.tenantId)), { reducedMotion: "reduce" });
  await page.live();
  for (let count = 0; count < 30; count += 1) await gateway.publish(place, "inbound_message", inbound(`m${count}`, `Message ${count}`));
  await page.message("m29").waitFor();
  await page.page.getByRole("log").focus();
  await page.page.keyboard.press("Home");
  await page.sees("to-latest");
  assert.deepEqual(await page.page.evaluate(() => document.getAnimations().length), 0);
});

test("a page that is opened in the background counts only what comes after it", async (t) => {
  const place = newPlace();
  await gateway.publish(place, "inbound_message", inbound("old", "Old"));
  const page = await browser.open(t, "about:blank");
  await page.page.addInitScript(() => Object.defineProperty(document, "hidden", { value: true }));
  await page.page.goto(address(gateway, place, gateway.token(place.tenantId), { title: "Sam Taylor" }));
  await page.live();
  await page.message("old").waitFor();
  assert.equal(await page.page.title(), "Sam Taylor");
  await gateway.publish(place, "inbound_message", inbound("new", "New"));
  await page.message("new").waitFor();
  await until("the new one alone is counted", async () => (await page.page.title()) === "(1) Sam Taylor");
});

/** Whether the keyboard is there. */
function isFocused(locator) {
  return locator.evaluate((element) => element === document.activeElement);
}
