/** Every type of message, what becomes of messages afterwards, and what else is known of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { everything } from "./harness/everything.js";
import { MediaServer } from "./harness/MediaServer.js";
import { address, inbound, newPlace, outbound } from "./harness/place.js";
import { stage } from "./harness/stage.js";
import { until } from "./harness/until.js";

const { gateway, browser, media } = await stage({ servers: { media: MediaServer } });

/** What of each message is on the screen. */
const WORDS = {
  text: /^Is order 4711 really on its way\? See www\.example\.com, or mail sam@example\.com/,
  image: /This is how it arrived/,
  video: /It flickers/,
  document: /Invoice 4711\.pdf\s+127\.0\.0\.1:\d+ · PDF · 123 kB/,
  "by-id": /Contract\.pdf\s+PDF\s+It can’t be opened here\./,
  location: /Castelo de São Jorge\s+R\. de Santa Cruz do Castelo, Lisboa\s+38\.71390, -9\.13940\s+Open in a map/,
  "bare-location": /Location\s+-33\.85680, 151\.21530/,
  contacts: /Maria Lopes\s+\+351 912 345 678\s+\+351 210 000 000\s+maria@example\.com\s+Workshop/,
  button: /Answer by button\s+Yes, please/,
  interactive: /Answer from a list or form\s+Tomorrow, 9:00 to 12:00/,
  order: /Order\s+2 × lamp \(€ 49\.90\)\n1 × shade/,
  system: /Sam Taylor changed their phone number to \+44 7700 900456/,
  unsupported: /This kind of message can’t be shown here/,
  poll: /This kind of message can’t be shown here\s+Which colour\?/,
  forwarded: /Forwarded\s+Have you seen this\?/,
  edited: /^Thursday\s+Edited/,
  gone: /This message was deleted/,
  "earlier-reaction": /Reacted 🙏 to an earlier message/,
  "earlier-edit": /Edited an earlier message: The new text of something old/,
  "earlier-delete": /Deleted an earlier message/,
  "reply-in": /Sam Taylor\s+Document: Invoice 4711\.pdf\s+Still waiting for this/,
  "reply-out": /Sam Taylor\s+Is order 4711 really on its way\?[^]*It is, it comes tomorrow/,
  "reply-lost": /The red one\s+Like that one/,
  "reply-bare": /An earlier message\s+And that one\?/,
};

test("every type of message has a face, and what happens to a message shows on it", async (t) => {
  const { page, place } = await open(t, { query: { title: "Sam Taylor" } });
  await everything(gateway, place, page, media);
  for (const [messageId, words] of Object.entries(WORDS)) {
    await page.message(messageId).scrollIntoViewIfNeeded();
    // What only a screen reader says is not on the screen.
    const shown = await page.message(messageId).evaluate((row) => {
      for (const unseen of row.querySelectorAll(".unseen")) unseen.style.display = "none";
      const { innerText } = row.querySelector(".bubble");
      for (const unseen of row.querySelectorAll(".unseen")) unseen.style.display = "";
      return innerText;
    });
    assert.match(shown, words, messageId);
  }
  const kinds = { image: "img", sticker: "img", voice: "audio", audio: "audio", video: "video", document: "a.file" };
  for (const [messageId, selector] of Object.entries(kinds)) {
    assert.equal(await page.message(messageId).locator(selector).count(), 1, messageId);
  }
  const text = page.message("text");
  assert.deepEqual(await text.locator("strong, em, s").allInnerTexts(), ["order 4711", "really", "way"]);
  const hrefs = (messageId) => page.message(messageId).locator("a").evaluateAll((links) => links.map(({ href }) => href));
  assert.deepEqual(await hrefs("text"), ["https://www.example.com/", "mailto:sam@example.com"]);
  assert.deepEqual(await hrefs("contacts"), ["tel:+351912345678", "tel:+351210000000", "mailto:maria@example.com"]);
  assert.deepEqual(await hrefs("location"), ["https://www.openstreetmap.org/?mlat=38.7139&mlon=-9.1394#map=16/38.7139/-9.1394"]);
  assert.equal(await page.message("gone").locator(".text:not(em)").count(), 0, "nothing of a deleted message is left");
  for (const folded of ["edit", "delete", "thanks-1"]) assert.equal(await page.message(folded).count(), 0, folded);
  const reactions = await page.message("reply-out").getByTestId("reactions").locator("li").allTextContents();
  // The relay is faster than the queue, or not.
  assert.deepEqual(reactions.toSorted(), ["Agent: ❤️", "Sam Taylor: 👍"]);
  assert.deepEqual(page.problems(), []);
});

test("a quote leads to what it quotes, and what nobody has anymore says so", async (t) => {
  const { page, place, publish } = await open(t);
  await publish("first", { text: "Do you have it in red?" });
  for (let count = 0; count < 60; count += 1) await publish(`m${count}`, { text: `Message ${count}` });
  await publish("reply", { text: "That one", replyTo: { messageId: "first" } });
  await publish("lost", { text: "Or that", replyTo: { messageId: "nowhere" } });
  await page.message("lost").waitFor();
  await page.message("reply").getByTestId("quote").click();
  const first = page.message("first");
  await until("it has the focus", () => first.evaluate((row) => row === document.activeElement));
  await page.rests();
  const { top, bottom } = await first.evaluate((row) => row.getBoundingClientRect().toJSON());
  assert.ok(top > 0 && bottom < page.page.viewportSize().height, `it is in view: ${top} to ${bottom}`);
  await page.sees("to-latest");
  await gateway.emit(place, "outbound_message", outbound("answer", "We do"));
  await page.part("to-latest").click();
  await page.message("lost").getByTestId("quote").click();
  await page.root.getByText("The quoted message is older than what is loaded here.").waitFor();
  assert.deepEqual(page.problems(), []);
});

test("a message's details tell who wrote it, how it went and why it failed, by mouse and by keyboard", async (t) => {
  const { page, place, publish } = await open(t);
  await publish("question", { text: "Hello?", fromName: "Sam Taylor" });
  await page.message("question").waitFor();
  await gateway.emit(place, "outbound_message", outbound("answer", "Hello!", { fromName: "Ada (bot)" }));
  await gateway.publish(place, "status_update", { messageId: "answer", status: "sent", timestamp: "2026-03-02T08:00:01Z" });
  await gateway.publish(place, "status_update", { messageId: "answer", status: "delivered", timestamp: "2026-03-02T08:00:02Z" });
  await gateway.publish(place, "status_update", { messageId: "answer", status: "read", timestamp: "2026-03-02T08:03:00Z" });
  await page.ticked("answer", "read");
  await gateway.emit(place, "outbound_message", outbound("lost", "And?"));
  const error = { code: 131047, title: "Re-engagement message" };
  await gateway.publish(place, "status_update", { messageId: "lost", status: "failed", error });
  await page.ticked("lost", "failed");

  const details = page.part("details");
  const lines = () => details.locator("dl > div").evaluateAll((rows) => Object.fromEntries(rows.map((row) => [row.dataset.detail, row.querySelector("dd").innerText])));
  await page.page.getByRole("log").focus();
  await page.page.keyboard.press("Tab");
  const onButton = (messageId) => page.message(messageId).getByTestId("details-button").evaluate((button) => button === document.activeElement);
  await until("the Tab key leads to the last message's button", () => onButton("lost"));
  await page.page.keyboard.press("Enter");
  await details.waitFor();
  const { by, reason, code, failed } = await lines();
  assert.deepEqual([by, reason, code], ["Agent", "Re-engagement message", "131047"]);
  assert.ok(failed);
  await page.page.keyboard.press("Escape");
  await page.misses("details");
  await until("the focus is where it was", () => onButton("lost"));

  await page.page.keyboard.press("ArrowUp");
  await until("the arrows lead to the others", () => onButton("answer"));
  await page.page.keyboard.press("Enter");
  await details.waitFor();
  const told = await lines();
  assert.equal(told.by, "Ada (bot)");
  assert.deepEqual(["sent", "delivered", "read"].map((status) => status in told), [true, true, true]);
  await page.page.mouse.click(5, 5);
  await page.misses("details");

  await page.message("question").hover();
  await page.message("question").getByTestId("details-button").click();
  await details.waitFor();
  assert.equal((await lines()).from, "Sam Taylor (+447700900123)");
  assert.deepEqual(page.problems(), []);
});

test("a picture that failed says so, and can be tried again", async (t) => {
  const { page, publish } = await open(t);
  await publish("late", { type: "image", mediaUrl: `${media.url}/not-yet.svg`, mediaType: "image/svg+xml" });
  await page.message("late").getByText("It could not be loaded.").waitFor();
  media.drawing("not-yet", 200, 100);
  await page.message("late").getByTestId("media-retry").click();
  await page.message("late").locator('[data-loaded="true"]').waitFor();
  assert.equal(await page.message("late").getByTestId("media-retry").count(), 0);
});

test("a mistake in one message shows in that message only", async (t) => {
  const { page, publish } = await open(t, {}, () => {
    // What no message is known to do: something that the page needs for this one fails.
    const { split } = String.prototype;
    String.prototype.split = function (...how) {
      if (this.startsWith("*poison")) throw new Error("poisoned");
      return split.apply(this, how);
    };
  });
  await publish("before", { text: "Before" });
  await publish("bad", { text: "*poison*" });
  await publish("after", { text: "After" });
  assert.equal(await page.text("after"), "After");
  assert.equal(await page.text("before"), "Before");
  await page.message("bad").getByText("This message can’t be shown.").waitFor();
  await until("it is reported all the same", () => page.problems().some((problem) => problem.includes("poisoned")));
});

async function open(t, { query = {}, ...options } = {}, script = undefined) {
  const place = newPlace();
  const page = await browser.open(t, "about:blank", options);
  if (script) await page.page.addInitScript(script);
  await page.page.goto(address(gateway, place, gateway.token(place.tenantId), query));
  await page.live();
  const publish = (messageId, message) => gateway.publish(place, "inbound_message", inbound(messageId, undefined, message));
  return { page, place, publish };
}
