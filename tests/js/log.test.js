/** The log with thousands of messages: what is in the page, and where it stands. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { address, inbound, newPlace } from "./harness/place.js";
import { stage } from "./harness/stage.js";
import { until } from "./harness/until.js";

const COUNT = 5000;

/** So many messages are rows of the page at most. */
const MAX_ROWS = 1000;

const { gateway, browser } = await stage({ variables: { REPLAY_MAX_EVENTS: "6000" } });
/** A conversation of thousands, which the tests only read. */
const long = newPlace();
await fill(long, COUNT);

test("of five thousand messages the last is in view, and a thousand are rows of the page, to be found and copied", async (t) => {
  const page = await openLong(t);
  await until("as many rows as there may be", async () => (await page.messageIds()).length === MAX_ROWS);
  const shown = await page.messageIds();
  assert.deepEqual(
    shown,
    Array.from({ length: MAX_ROWS }, (_, index) => `m${COUNT - MAX_ROWS + index}`),
  );
  await page.rests();
  assert.equal((await page.inView()).at(-1), `m${COUNT - 1}`, "the view has stayed at the end");
  // Find in page looks through what is out of view as well.
  const oldest = await page.page.evaluate((text) => window.find(text) && getSelection().focusNode.parentElement.closest("article").dataset.messageId, `Message ${COUNT - MAX_ROWS} `);
  assert.equal(oldest, `m${COUNT - MAX_ROWS}`);
  assert.deepEqual(page.problems(), []);
});

test("the keyboard moves through all of the log: Home, End, PageUp and PageDown", async (t) => {
  const page = await openLong(t);
  const log = page.page.getByRole("log");
  await log.focus();
  await page.page.keyboard.press("Home");
  await until("the first message in view", async () => (await page.inView()).at(0) === "m0");
  await until("the very beginning", () => log.evaluate(({ scrollTop }) => scrollTop === 0));

  await page.page.keyboard.press("PageDown");
  await until("the next page", async () => !(await page.inView()).includes("m0"));
  await page.page.keyboard.press("PageUp");
  await until("the first page again", async () => (await page.inView()).at(0) === "m0");

  await page.page.keyboard.press("End");
  await until("the last message in view", async () => (await page.inView()).at(-1) === `m${COUNT - 1}`);
  await until("no way to the latest message", async () => (await page.part("to-latest").count()) === 0);
  await page.page.keyboard.press("PageUp");
  await page.sees("to-latest");
  assert.deepEqual(page.problems(), []);
});

test("the End key leads to the end while the log still moves the other way", async (t) => {
  const page = await openLong(t);
  const log = page.page.getByRole("log");
  await log.focus();
  for (let turn = 0; turn < 5; turn += 1) {
    await page.page.keyboard.press("Home");
    await until("the very beginning", () => log.evaluate(({ scrollTop }) => scrollTop === 0));
    for (let pages = 0; pages < 4; pages += 1) await page.page.keyboard.press("PageDown");
    await page.rests();
    await page.page.keyboard.press("PageUp");
    await page.page.keyboard.press("PageUp");
    await page.page.keyboard.press("End");
    await until("the last message in view", async () => (await page.inView()).at(-1) === `m${COUNT - 1}`);
    await page.rests();
    assert.equal((await page.inView()).at(-1), `m${COUNT - 1}`, "the view has stayed at the end");
  }
  assert.deepEqual(page.problems(), []);
});

test("scrolling from the end to the beginning passes every message once, in order, with none missing", async (t) => {
  const count = 2500;
  const place = newPlace();
  await fill(place, count);
  const page = await openPlace(t, place, `m${count - 1}`);
  const passed = await page.page.evaluate(async () => {
    const log = document.querySelector("[role=log]");
    const seen = [];
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    let most = 0;
    for (let turn = 0; turn < 3000; turn += 1) {
      const edges = log.getBoundingClientRect();
      const rows = [...log.querySelectorAll("[data-message-id]")].filter((row) => {
        const { top, bottom } = row.getBoundingClientRect();
        return bottom > edges.top && top < edges.bottom;
      });
      const ids = rows.map(({ dataset }) => Number(dataset.messageId.slice(1)));
      const gaps = rows.slice(1).some((row, index) => row.getBoundingClientRect().top - rows[index].getBoundingClientRect().bottom > 60);
      seen.push({ ids, gaps });
      most = Math.max(most, log.querySelectorAll("[data-message-id]").length);
      // At the upper edge older ones may be about to come.
      if (log.scrollTop === 0 && ids[0] === 0) break;
      log.scrollTop -= log.clientHeight - 80;
      await frame();
    }
    return { seen, most };
  });
  let oldest = count;
  for (const { ids, gaps } of passed.seen) {
    assert.ok(ids.length > 0 && !gaps, "nothing of the view is empty");
    assert.deepEqual(ids, ids.map((_, index) => ids[0] + index), "they stand in order");
    assert.ok(ids.at(-1) >= oldest - 1, `nothing is skipped before m${oldest}`);
    oldest = Math.min(oldest, ids[0]);
  }
  assert.equal(oldest, 0);
  assert.ok(passed.most <= MAX_ROWS, `${passed.most} rows at most`);
  assert.deepEqual(page.problems(), []);
});

test("what is in view stays where it is while messages of unknown height come into the page above it", async (t) => {
  const page = await openLong(t);
  await page.page.getByRole("log").evaluate((log) => (log.scrollTop -= 300));
  await page.sees("to-latest");
  // A step at a time, as a wheel does: each brings in messages above that are higher or lower than was guessed.
  const jumps = await page.page.evaluate(async () => {
    const log = document.querySelector("[role=log]");
    const frame = () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    const worst = [];
    for (let turn = 0; turn < 150; turn += 1) {
      const row = [...log.querySelectorAll("[data-message-id]")].find((row) => row.getBoundingClientRect().top > 150);
      const before = row.getBoundingClientRect().top;
      log.scrollTop -= 90;
      await frame();
      if (row.isConnected) worst.push(Math.abs(row.getBoundingClientRect().top - before - 90));
    }
    return { most: Math.max(...worst), count: worst.length };
  });
  assert.ok(jumps.count > 100);
  assert.ok(jumps.most <= 1.5, `a message has jumped by ${jumps.most} px`);
  // Once it rests the page puts its bookkeeping right, of which nothing is seen in any frame.
  const moved = await page.message((await page.inView()).at(3)).evaluate(async (row) => {
    const before = row.getBoundingClientRect().top;
    let most = 0;
    for (let frames = 0; frames < 40; frames += 1) {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      most = Math.max(most, Math.abs(row.getBoundingClientRect().top - before));
    }
    return most;
  });
  assert.ok(moved <= 1.5, `at rest a message has moved by ${moved} px`);
});

test("an agent who reads further up stays there, and the pill says how many are new", async (t) => {
  const place = newPlace();
  await fill(place, 200);
  const page = await openPlace(t, place, "m199");
  const log = page.page.getByRole("log");
  assert.equal(await log.getAttribute("aria-live"), "polite");
  await log.focus();
  await page.page.keyboard.press("PageUp");
  await page.sees("to-latest");
  await page.rests();
  assert.equal(await log.getAttribute("aria-live"), "off");
  const before = await places(page);
  await fill(place, 3, 200);
  const pill = await page.sees("pill");
  await until("three are new", async () => (await pill.innerText()).trim() === "3 new messages");
  assert.deepEqual(await places(page), before, "nothing has moved");
  await pill.click();
  await until("the last message in view", async () => (await page.inView()).at(-1) === "m202");
  await page.misses("pill");
  await until("the keyboard's place is the log", () => log.evaluate((element) => element === document.activeElement));
  await fill(place, 1, 203);
  await until("the log follows", async () => (await page.inView()).at(-1) === "m203");
  assert.deepEqual(page.problems(), []);
});

test("a log that gets narrower or lower stays where it is", async (t) => {
  const page = await openLong(t, { viewport: { width: 700, height: 600 } });
  await page.page.setViewportSize({ width: 320, height: 400 });
  await until("it is still at the end", async () => (await page.inView()).at(-1) === `m${COUNT - 1}`);
  await page.page.getByRole("log").evaluate((log) => (log.scrollTop = log.scrollHeight / 2));
  await page.sees("to-latest");
  await page.rests();
  const [first] = await page.inView();
  await page.page.setViewportSize({ width: 700, height: 600 });
  await page.rests();
  assert.ok((await page.inView()).slice(0, 2).includes(first), "the message at the top is still there");
});

test("a link that has the focus stays in the page however many come after it", async (t) => {
  const place = newPlace();
  await gateway.publish(place, "inbound_message", inbound("link", "https://example.com/"));
  await fill(place, 60);
  const page = await openPlace(t, place, "m59");
  await page.message("link").locator("a").focus();
  await until("the first message in view", async () => (await page.inView()).at(0) === "link");
  await fill(place, MAX_ROWS + 100, 60);
  await page.sees("pill");
  await page.page.keyboard.press("End");
  await until("the last message in view", async () => (await page.inView()).at(-1) === `m${MAX_ROWS + 159}`);
  assert.equal(await page.page.evaluate(() => document.activeElement.textContent), "https://example.com/");
  await page.page.getByRole("log").focus();
  await fill(place, 1, MAX_ROWS + 160);
  await page.message("link").waitFor({ state: "detached" });
  assert.deepEqual(page.problems(), []);
});

test("a burst of a thousand messages is all there, once and in order, while the agent watches", async (t) => {
  const place = newPlace();
  const page = await openPlace(t, place);
  await fill(place, 1000);
  await until("the last of them in view", async () => (await page.inView()).at(-1) === "m999");
  await page.page.getByRole("log").focus();
  await page.page.keyboard.press("Home");
  await until("the first of them in view", async () => (await page.inView()).at(0) === "m0");
  assert.equal(await page.part("reset-notice").count(), 0);
  assert.deepEqual(page.problems(), []);
});

/** Messages of many heights, over several days, from both sides. */
async function fill(place, count, from = 0) {
  const start = Date.parse("2026-03-02T08:00:00Z");
  const message = (index) => {
    const words = "word ".repeat(1 + ((index * 7919) % 60)).trim();
    const timestamp = new Date(start + index * 90_000).toISOString();
    const text = index % 17 === 0 ? `Message ${index}\n\n${words}\n• one\n• two` : `Message ${index} ${words}`;
    return inbound(`m${index}`, text, { timestamp });
  };
  const messages = Array.from({ length: count }, (_, index) => message(from + index));
  await gateway.publishAll(place, "inbound_message", messages);
}

async function openLong(t, options) {
  return openPlace(t, long, `m${COUNT - 1}`, options);
}

async function openPlace(t, place, last, options) {
  const page = await browser.open(t, address(gateway, place, gateway.token(place.tenantId)), options);
  await page.live();
  if (last) await until("the last message in view", async () => (await page.inView()).at(-1) === last);
  return page;
}

/** Where the messages in view stand, to the pixel. */
function places(page) {
  return page.page.evaluate(() => {
    const { bottom } = document.querySelector("[role=log]").getBoundingClientRect();
    return [...document.querySelectorAll("[data-message-id]")]
      .map((row) => [row.dataset.messageId, Math.round(row.getBoundingClientRect().top)])
      .filter(([, top]) => top > 0 && top < bottom);
  });
}
