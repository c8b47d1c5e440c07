/**
 * Measures what an agent waits for: how soon the first message is seen, and how long the page is busy at a stretch
 * while five thousand messages come and are scrolled through. Figures, not a test: `npm run trace`.
 */
import { Broker } from "./harness/Broker.js";
import { Browser } from "./harness/Browser.js";
import { firstMessage } from "./harness/firstMessage.js";
import { Gateway } from "./harness/Gateway.js";
import { address, inbound, newPlace } from "./harness/place.js";

const COUNT = 5000;
const LOADS = 7;

/** A task of more milliseconds than this is long, as the Long Tasks API has it. */
const LONG_MS = 50;

const cleanups = [];
const run = { after: (cleanup) => cleanups.unshift(cleanup) };
try {
  const broker = await Broker.connect();
  run.after(() => broker.close());
  const gateway = await Gateway.start(run, broker, { REPLAY_MAX_EVENTS: "6000", RUST_LOG: "info" });
  const browser = await Browser.launch();
  run.after(() => browser.close());
  await load(gateway, browser);
  const place = newPlace();
  await burst(gateway, browser, place);
  await scroll(gateway, browser, place);
} finally {
  for (const cleanup of cleanups) await cleanup();
}

/** From the navigation to the frame that shows the first message, in a browser that has nothing of the page yet. */
async function load(gateway, browser) {
  const place = newPlace();
  for (let index = 0; index < 30; index += 1) await gateway.publish(place, "inbound_message", message(index));
  const times = [];
  for (let count = 0; count < LOADS; count += 1) {
    const widget = await browser.open(run, "about:blank");
    times.push(await firstMessage(widget, address(gateway, place, gateway.token(place.tenantId))));
    await widget.page.context().close();
  }
  times.sort((a, b) => a - b);
  say("first message seen after navigation", `${ms(times[LOADS >> 1])} median, ${ms(times.at(-1))} worst of ${LOADS}`);
}

/** All of them, as fast as the broker takes them, while the agent watches. */
async function burst(gateway, browser, place) {
  const widget = await open(gateway, browser, place);
  await measure(browser, widget, `${COUNT} messages arriving at once`, async () => {
    await Promise.all(Array.from({ length: COUNT }, (_, index) => gateway.publish(place, "inbound_message", message(index))));
    await widget.message(`m${COUNT - 1}`).waitFor();
  });
  await widget.page.context().close();
}

/** From the end to the beginning and back with a wheel, and by keys from one end to the other. */
async function scroll(gateway, browser, place) {
  const widget = await open(gateway, browser, place);
  await widget.message(`m${COUNT - 1}`).waitFor();
  const { page } = widget;
  const log = page.getByRole("log");
  await page.mouse.move(200, 300);
  for (const [way, step] of [["up", -600], ["down", 600]]) {
    const there = () => log.evaluate(({ scrollTop, scrollHeight, clientHeight }, up) => (up ? scrollTop <= 0 : scrollTop + clientHeight >= scrollHeight - 1), step < 0);
    await measure(browser, widget, `${COUNT} messages scrolled ${way} with a wheel`, async () => {
      for (let turns = 0; turns < 5000 && !(await there()); turns += 1) await page.mouse.wheel(0, step);
    });
  }
  await log.focus();
  await measure(browser, widget, `${COUNT} messages by Home, PageDown and End`, async () => {
    for (let round = 0; round < 5; round += 1) {
      await page.keyboard.press("Home");
      await widget.message("m0").waitFor();
      for (let pages = 0; pages < 20; pages += 1) await page.keyboard.press("PageDown");
      await page.keyboard.press("End");
      await widget.message(`m${COUNT - 1}`).waitFor();
    }
  });
}

async function open(gateway, browser, place) {
  const widget = await browser.open(run, "about:blank");
  await widget.page.addInitScript(() => {
    window.nodes = 0;
    const frame = () => {
      window.nodes = Math.max(window.nodes, document.querySelector("[role=log]")?.getElementsByTagName("*").length ?? 0);
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  await widget.page.goto(address(gateway, place, gateway.token(place.tenantId)));
  await widget.live();
  return widget;
}

/**
 * Says how long the tasks of the page's main thread took. Where the machine has other things to do, a task stands
 * still in between: what the page is to blame for is its time on the processor.
 */
async function measure(browser, widget, what, act) {
  await browser.startTrace(widget);
  await act();
  const events = await browser.stopTrace();
  const thread = ({ pid, tid }) => `${pid}:${tid}`;
  const mains = new Set(events.filter(({ name, args }) => name === "thread_name" && args.name === "CrRendererMain").map(thread));
  const tasks = events.filter((event) => event.name === "RunTask" && mains.has(thread(event)));
  if (tasks.length === 0) throw new Error("the trace has no tasks");
  const figures = [["in all", "dur"], ["on the processor", "tdur"]].map(([kind, field]) => {
    const times = tasks.map((task) => (task[field] ?? 0) / 1000);
    return `${kind} ${times.filter((time) => time > LONG_MS).length} over ${LONG_MS} ms, the longest ${ms(times.reduce((most, time) => Math.max(most, time)))}`;
  });
  const nodes = await widget.page.evaluate(() => window.nodes);
  say(what, `${tasks.length} tasks: ${figures.join("; ")}; at most ${nodes} elements in the log`);
}

function message(index) {
  const words = "word ".repeat(1 + ((index * 7919) % 60)).trim();
  const timestamp = new Date(Date.parse("2026-03-02T08:00:00Z") + index * 90_000).toISOString();
  return inbound(`m${index}`, `Message ${index} ${words}`, { timestamp });
}

function ms(value) {
  return `${Math.round(value)} ms`;
}

function say(what, figures) {
  process.stdout.write(`${what}: ${figures}\n`);
}
