/** Attachments, sound, and what else a message brings along. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MediaServer } from "./harness/MediaServer.js";
import { address, inbound, newPlace } from "./harness/place.js";
import { stage } from "./harness/stage.js";
import { until } from "./harness/until.js";

const { gateway, browser, media } = await stage({ servers: { media: MediaServer } });

test("each kind of attachment is shown as what it is, by its type and else by its name", async (t) => {
  const { page, publish } = await open(t);
  const drawing = media.drawing("photo", 300, 200);
  await publish("image", { mediaUrl: drawing, mediaType: "image/svg+xml", text: "A caption" });
  await publish("image-by-name", { mediaUrl: drawing });
  await publish("audio", { mediaUrl: media.voice, mediaType: "audio/wav" });
  await publish("audio-by-name", { mediaUrl: media.voice });
  await publish("file", { mediaUrl: `${media.url}/Terms%20of%20use.pdf`, mediaType: "application/pdf" });
  await publish("file-by-name", { mediaUrl: `${media.url}/archive.zip` });
  // A name that says image does not make a document one.
  await publish("disguised", { mediaUrl: drawing, mediaType: "application/octet-stream" });
  const kinds = { image: "img", "image-by-name": "img", audio: "audio", "audio-by-name": "audio", file: ".file", "file-by-name": ".file", disguised: ".file" };
  for (const [messageId, selector] of Object.entries(kinds)) {
    const part = page.message(messageId).locator(selector);
    await part.waitFor({ state: "attached" });
    assert.equal(await page.message(messageId).locator("img, audio, video, .file").count(), 1, messageId);
  }
  assert.equal(await page.text("image"), "A caption");
  assert.match(await page.message("file").innerText(), /Terms of use\.pdf/);
  assert.equal(await page.message("file").locator(".file").getAttribute("rel"), "noopener noreferrer");
  assert.deepEqual(page.problems(), []);
});

test("what cannot be loaded becomes a link to it", async (t) => {
  const { page, publish } = await open(t);
  for (const [kind, name] of [["image", "gone.png"], ["audio", "gone.ogg"], ["video", "gone.mp4"]]) {
    await publish(kind, { mediaUrl: `${media.url}/${name}`, text: "See?" });
    const link = page.message(kind).locator("a.file");
    assert.match(await link.innerText(), new RegExp(name));
    assert.equal(await link.getAttribute("href"), `${media.url}/${name}`);
    assert.equal(await page.message(kind).locator("img, audio, video").count(), 0);
    assert.equal(await page.text(kind), "See?");
  }
});

test("a bubble is as wide as its picture, however large the original and however long the caption", async (t) => {
  const place = newPlace();
  const page = await browser.open(t, address(gateway, place, gateway.token(place.tenantId)), { viewport: { width: 1200, height: 700 } });
  await page.live();
  const captions = { bare: undefined, captioned: "A caption that is much longer than its picture is wide. ".repeat(4) };
  for (const [messageId, text] of Object.entries(captions)) {
    await gateway.publish(place, "inbound_message", inbound(messageId, text, { mediaUrl: media.drawing("large", 1600, 1200) }));
    const message = page.message(messageId);
    await message.locator('[data-loaded="true"]').waitFor();
    const widths = await message.evaluate((element) => {
      const width = (selector) => element.querySelector(selector).getBoundingClientRect().width;
      return { bubble: width(".bubble"), picture: width(".picture img") };
    });
    assert.deepEqual(widths, { bubble: 338, picture: 330 }, messageId);
  }
});

test("an image is enlarged by a click or a key, and Escape gives the focus back", async (t) => {
  const { page, publish } = await open(t);
  await publish("photo", { mediaUrl: media.drawing("large", 900, 700), text: "Look" });
  const picture = page.message("photo").getByTestId("picture");
  await page.message("photo").locator('[data-loaded="true"]').waitFor();

  await picture.focus();
  await page.page.keyboard.press("Enter");
  const lightbox = await page.sees("lightbox");
  assert.deepEqual(await lightbox.evaluate((dialog) => [dialog.matches(":modal"), dialog.contains(document.activeElement)]), [true, true]);
  const original = lightbox.locator("a");
  assert.deepEqual(
    await original.evaluate(({ href, target, rel }) => [href, target, rel]),
    [`${media.url}/large.svg`, "_blank", "noopener noreferrer"],
  );
  const image = lightbox.locator("img");
  await until("the image", () => image.evaluate(({ complete, naturalWidth }) => complete && naturalWidth > 0));
  const { width, height } = await image.boundingBox();
  const view = page.page.viewportSize();
  assert.ok(width > 300 && width <= view.width && height <= view.height, `${width} by ${height}`);
  await page.page.keyboard.press("Escape");
  await page.misses("lightbox");
  await until("the focus is where it was", () => picture.evaluate((button) => button === document.activeElement));

  for (const closes of [(box) => box.getByRole("button").click(), (box) => box.click({ position: { x: 5, y: 300 } })]) {
    await picture.click();
    await closes(await page.sees("lightbox"));
    await page.misses("lightbox");
  }
  // The log goes on behind it, and closing it does not lose the place.
  await picture.click();
  await page.sees("lightbox");
  for (let count = 0; count < 80; count += 1) await publish(`more-${count}`, { text: "More" });
  await page.message("more-79").waitFor();
  await page.page.keyboard.press("Escape");
  await page.misses("lightbox");
  await until("the focus is not lost", () => page.page.evaluate(() => document.activeElement !== document.body));
  assert.deepEqual(page.problems(), []);
});

test("a voice message plays on while its message is scrolled out of view", async (t) => {
  const { page, publish } = await open(t);
  await publish("voice", { mediaUrl: media.voice });
  for (let count = 0; count < 120; count += 1) await publish(`m${count}`, { text: `Message ${count}` });
  await page.message("m119").waitFor();
  await page.page.getByRole("log").focus();
  await page.page.keyboard.press("Home");
  const audio = page.message("voice").locator("audio");
  // Which key or button starts it is the browser's own matter; unlike those, this says why when it cannot.
  // It begins again at its end, which a slow machine may reach before this test does.
  await audio.evaluate((player) => {
    player.loop = true;
    return player.play();
  });
  await until("it plays", () => audio.evaluate(({ paused, currentTime }) => !paused && currentTime > 0));
  await page.page.getByRole("log").focus();
  await page.page.keyboard.press("End");
  await until("the end is in view", async () => (await page.inView()).at(-1) === "m119");
  const time = await audio.evaluate(({ currentTime }) => currentTime);
  await until("it plays on", () => audio.evaluate(({ paused, currentTime }, time) => !paused && currentTime !== time, time));
  assert.deepEqual(page.problems(), []);
});

test("an image that loads late moves nothing that the agent reads", async (t) => {
  const { page, publish } = await open(t);
  let answer;
  const released = new Promise((resolve) => (answer = resolve));
  await page.page.route("**/late.svg", async (route) => {
    await released;
    await route.continue();
  });
  for (let count = 0; count < 30; count += 1) await publish(`m${count}`, { text: `Message ${count}` });
  await publish("late", { mediaUrl: media.drawing("late", 200, 330) });
  await publish("last", { text: "The last one" });
  await page.message("last").waitFor();
  await page.rests();
  const edge = () => page.message("last").evaluate((row) => Math.round(row.getBoundingClientRect().bottom));
  const before = await edge();
  answer();
  await page.message("late").locator('[data-loaded="true"]').waitFor();
  await until("the picture has its height", () => page.message("late").locator("img").evaluate(({ height }) => height === 330));
  // Its height is in the page before the frame is drawn in which the log takes account of it.
  await page.rests();
  assert.equal(await edge(), before, "the end is still the end");
});

test("a message of 100 KB is cut, and all of it is there when it is asked for", async (t) => {
  const { page, publish } = await open(t);
  const text = `${"All work and no play makes a long message. ".repeat(2400)}The end`;
  assert.ok(text.length > 100_000);
  await publish("long", { text });
  await publish("next", { text: "Next" });
  const more = page.message("long").getByTestId("read-more");
  await more.waitFor();
  const cut = await page.text("long");
  assert.ok(cut.length < 2100 && text.startsWith(cut.slice(0, -1)), cut.slice(-50));
  await more.click();
  await until("all of it", async () => (await page.text("long")) === text);
  assert.equal(await more.count(), 0);
  await page.page.getByRole("log").focus();
  await page.page.keyboard.press("End");
  await until("the next message", async () => (await page.inView()).includes("next"));
  assert.deepEqual(page.problems(), []);
});

test("a sign that turns the direction of writing turns nothing but its own message", async (t) => {
  const { page, publish } = await open(t);
  const turned = "\u202eThis is written backwards";
  await publish("turned", { text: `${turned} https://example.com/login` });
  await publish("after", { text: "Plain" });
  await publish("arabic", { text: "مرحبا، هل وصل الطلب؟" });
  await publish("disguised", { mediaUrl: `${media.url}/annexe%E2%80%AEfdp.exe` });
  assert.equal(await page.message("disguised").locator(".file-name").innerText(), "annexefdp.exe");
  // Where each character is drawn says in which direction it is written.
  const directions = await page.page.evaluate(() => {
    const leftOf = (node, offset) => {
      const range = document.createRange();
      range.setStart(node, offset);
      range.setEnd(node, offset + 1);
      return range.getBoundingClientRect().left;
    };
    const direction = (selector) => {
      const node = document.createTreeWalker(document.querySelector(selector), NodeFilter.SHOW_TEXT).nextNode();
      return leftOf(node, 1) < leftOf(node, 2) ? "ltr" : "rtl";
    };
    return ['[data-message-id="turned"] .text', '[data-message-id="turned"] a', '[data-message-id="turned"] time', '[data-message-id="after"] .text', '[data-message-id="arabic"] .text']
      .map(direction);
  });
  assert.deepEqual(directions, ["rtl", "ltr", "ltr", "ltr", "rtl"]);
  assert.deepEqual(page.problems(), []);
});

test("a new message is heard once the agent has asked for it, and only the customer's", async (t) => {
  const { page, publish, place } = await open(t, {}, () => {
    // The real thing, with a count of the notes it begins, and a look at whether it may.
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
  });
  const notes = () => page.page.evaluate(() => window.notes);
  // A browser takes a moment to get sound ready after the gesture.
  const audible = () => until("sound is ready", () => page.page.evaluate(() => window.audible?.()));
  const sound = page.part("sound");
  assert.equal(await sound.getAttribute("aria-pressed"), "false");
  await publish("silent", { text: "Silent" });
  await page.message("silent").waitFor();
  assert.equal(await notes(), 0);

  await sound.click();
  await audible();
  assert.equal(await sound.getAttribute("aria-pressed"), "true");
  await gateway.emit(place, "outbound_message", { messageId: "own", text: "Own" });
  await page.message("own").waitFor();
  assert.equal(await notes(), 0);
  await publish("heard", { text: "Heard" });
  await until("the chime", async () => (await notes()) === 2);

  // A page that is loaded again remembers it, and is silent until there has been a gesture.
  await page.page.reload();
  await page.live();
  assert.equal(await sound.getAttribute("aria-pressed"), "true");
  await page.page.getByRole("log").click();
  await audible();
  await publish("again", { text: "Again" });
  await until("the chime again", async () => (await notes()) === 2);
  await sound.click();
  await publish("unheard", { text: "Unheard" });
  await page.message("unheard").waitFor();
  assert.equal(await notes(), 2);
  assert.deepEqual(page.problems(), []);
});

async function open(t, query = {}, script = undefined) {
  const place = newPlace();
  const page = await browser.open(t, "about:blank");
  if (script) await page.page.addInitScript(script);
  await page.page.goto(address(gateway, place, gateway.token(place.tenantId), query));
  await page.live();
  const publish = (messageId, message) => gateway.publish(place, "inbound_message", inbound(messageId, undefined, message));
  return { page, place, publish };
}
