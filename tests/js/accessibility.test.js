/** The page without a mouse, without eyes, and in the words of its link. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MediaServer } from "./harness/MediaServer.js";
import { address, inbound, newPlace, outbound } from "./harness/place.js";
import { Proxy } from "./harness/Proxy.js";
import { stage } from "./harness/stage.js";
import { until } from "./harness/until.js";

const { gateway, browser, media } = await stage({ servers: { media: MediaServer } });

test("everything can be reached and used by keyboard alone, and the focus is always seen", async (t) => {
  const place = newPlace();
  const network = await Proxy.start(t, gateway.port);
  const page = await browser.open(t, address(network, place, gateway.token(place.tenantId)));
  await page.live();
  await gateway.publish(place, "inbound_message", inbound("link", "See https://example.com/ please"));
  await gateway.publish(place, "inbound_message", inbound("photo", undefined, { mediaUrl: media.drawing("keys", 200, 100) }));
  await gateway.publish(place, "inbound_message", inbound("file", undefined, { mediaUrl: `${media.url}/a.pdf` }));
  await page.message("photo").locator('[data-loaded="true"]').waitFor();
  await page.message("file").waitFor();

  const reached = [];
  for (let step = 0; step < 5; step += 1) {
    await page.page.keyboard.press("Tab");
    reached.push(
      await page.page.evaluate(() => {
        const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
        const { tagName, dataset, role, className } = document.activeElement;
        const name = dataset.testid ?? role ?? (className || tagName);
        return `${name} ${outlineStyle !== "none" && parseFloat(outlineWidth) >= 2 ? "seen" : "unseen"}`;
      }),
    );
  }
  assert.deepEqual(reached, ["sound seen", "log seen", "A seen", "picture seen", "file seen"]);

  await page.page.keyboard.press("Shift+Tab");
  await page.page.keyboard.press("Enter");
  await page.sees("lightbox");
  await page.page.keyboard.press("Escape");
  await page.misses("lightbox");
  network.cut();
  await page.sees("banner", { state: "offline" });
  await until("the button is reached", async () => {
    await page.page.keyboard.press("Shift+Tab");
    return page.part("retry").evaluate((button) => button === document.activeElement);
  });
  network.mend();
  await page.page.keyboard.press("Enter");
  await page.live();
  await until("the log has the focus that the button had", () =>
    page.page.getByRole("log").evaluate((log) => log === document.activeElement),
  );
});

test("a screen reader hears new messages, who wrote them and how far they have come", async (t) => {
  const place = newPlace();
  const page = await browser.open(t, address(gateway, place, gateway.token(place.tenantId)));
  await page.live();
  await gateway.publish(place, "inbound_message", inbound("question", "Is it there?"));
  // Messages and statuses have queues of their own: the ticks may overtake it.
  await page.message("question").waitFor();
  await gateway.emit(place, "outbound_message", outbound("answer", "It is"));
  await gateway.publish(place, "status_update", { messageId: "answer", status: "read" });
  await page.ticked("answer", "read");
  const log = page.page.getByRole("log", { name: "Messages" });
  assert.equal(await log.getAttribute("aria-live"), "polite");
  const heard = await log.ariaSnapshot();
  assert.match(heard, /447700900123:/);
  assert.match(heard, /Is it there\?/);
  assert.match(heard, /Agent:/);
  assert.match(heard, /img "Read"/);
});

test("the page speaks the language of its link", async (t) => {
  const place = newPlace();
  for (const [lang, tag, empty] of [
    ["de-AT", "de", "Keine neueren Nachrichten"],
    ["pt", "pt-BR", "Nenhuma mensagem recente"],
    ["xx", "en", "No recent messages"],
  ]) {
    const page = await browser.open(t, address(gateway, place, gateway.token(place.tenantId), { lang }));
    assert.match(await (await page.sees("empty")).innerText(), new RegExp(empty));
    assert.equal(await page.page.locator("html").getAttribute("lang"), tag);
  }
});

test("the title counts what comes while the page is hidden", async (t) => {
  const place = newPlace();
  const page = await browser.open(t, address(gateway, place, gateway.token(place.tenantId), { title: "Sam Taylor" }));
  await page.live();
  assert.equal(await page.page.title(), "Sam Taylor");
  const hide = (hidden) =>
    page.page.evaluate((hidden) => {
      // Another tab in front is nothing that a headless browser has.
      Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  await hide(true);
  await gateway.publish(place, "inbound_message", inbound("one", "One"));
  await gateway.emit(place, "outbound_message", outbound("own", "Own"));
  await gateway.publish(place, "inbound_message", inbound("two", "Two"));
  await page.message("two").waitFor();
  await until("both of the customer's are counted", async () => (await page.page.title()) === "(2) Sam Taylor");
  await hide(false);
  await until("they are read", async () => (await page.page.title()) === "Sam Taylor");
});
