/** Plays a conversation through the gateway and takes a picture of the page: `npm run screenshot -- widget.png`. */
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, resolve } from "node:path";
import { Broker } from "./harness/Broker.js";
import { Browser } from "./harness/Browser.js";
import { giveUp } from "./harness/environment.js";
import { Gateway } from "./harness/Gateway.js";
import { until } from "./harness/until.js";

const [path = giveUp("say where the picture goes: npm run screenshot -- widget.png")] = process.argv.slice(2);

/** What the customer has photographed: a bicycle whose rear light is cracked. */
const PHOTO = `<svg xmlns="http://www.w3.org/2000/svg" width="330" height="190" viewBox="0 0 330 190">
  <defs>
    <linearGradient id="wall" x2="0" y2="1"><stop stop-color="#e9dccb"/><stop offset="1" stop-color="#d3bfa6"/></linearGradient>
    <linearGradient id="floor" x2="0" y2="1"><stop stop-color="#9a8f86"/><stop offset="1" stop-color="#7d736b"/></linearGradient>
  </defs>
  <rect width="330" height="140" fill="url(#wall)"/>
  <path d="M0 32h330M0 68h330M0 104h330M60 0v32M180 0v32M290 0v32M20 32v36M120 32v36M240 32v36M70 68v36M200 68v36M300 68v36M30 104v36M140 104v36M260 104v36" stroke="#c2ab8f" stroke-width="2" opacity=".55"/>
  <rect y="140" width="330" height="50" fill="url(#floor)"/>
  <ellipse cx="166" cy="168" rx="128" ry="9" opacity=".25"/>
  <g fill="none" stroke-linecap="round" stroke-linejoin="round">
    <g stroke="#2b2f33"><circle cx="86" cy="122" r="44" stroke-width="6"/><circle cx="244" cy="122" r="44" stroke-width="6"/></g>
    <g stroke="#8d949a" stroke-width="1">
      <path d="M86 78v88M42 122h88M55 91l62 62M55 153l62-62M244 78v88M200 122h88M213 91l62 62M213 153l62-62"/>
    </g>
    <path d="M150 126 86 122 122 72 150 126 220 68 128 70M122 72l-6-18M220 68l24 54M220 68l-6-22" stroke="#0b6b57" stroke-width="7"/>
    <path d="M102 53h28" stroke="#3a2a20" stroke-width="9"/>
    <path d="M214 46h20q10 1 8 10" stroke="#2b2f33" stroke-width="5"/>
    <circle cx="150" cy="126" r="10" stroke="#2b2f33" stroke-width="4"/>
    <path d="m150 126 12 17m-6 0h12" stroke="#2b2f33" stroke-width="4"/>
    <path d="M42 104q4-28 34-32" stroke="#2b2f33" stroke-width="4"/>
  </g>
  <path d="m34 78 16-4 3 16-15 4z" fill="#c62f2f"/><path d="m35 80 7 4-3 4 9 3" fill="none" stroke="#fff" stroke-width="1.6"/>
  <circle cx="43" cy="84" r="18" fill="none" stroke="#ffd23f" stroke-width="3.5"/>
</svg>`;

const place = { tenantId: "velo", conversationId: "+447700900123" };

/** Everything happens on the morning of today. */
const today = new Date().toISOString().slice(0, 10);
const at = (time) => `${today}T${time}:00Z`;

const cleanups = [];
const run = { after: (cleanup) => cleanups.unshift(cleanup) };
try {
  await play(await setUp());
} finally {
  for (const cleanup of cleanups) await cleanup();
}

async function setUp() {
  const photos = createServer((_, response) => response.setHeader("content-type", "image/svg+xml").end(PHOTO));
  photos.listen(0, "127.0.0.1");
  await once(photos, "listening");
  run.after(() => photos.close());
  const broker = await Broker.connect();
  run.after(() => broker.close());
  const gateway = await Gateway.start(run, broker);
  const browser = await Browser.launch();
  run.after(() => browser.close());
  const look = { deviceScaleFactor: 2, colorScheme: "light", timezoneId: "UTC" };
  const widget = await browser.open(run, "about:blank", look);
  await widget.page.clock.setFixedTime(at("10:24"));
  const token = gateway.token(place.tenantId, { name: "Maya Lindqvist" });
  await widget.page.goto(`${gateway.url}/widget?${new URLSearchParams(place)}#token=${token}`);
  await widget.live();
  return { gateway, widget, photo: `http://127.0.0.1:${photos.address().port}/light.svg` };
}

async function play({ gateway, widget, photo }) {
  let count = 0;
  const shown = async (send, time, message) => {
    const messageId = `wamid.${(count += 1)}`;
    await send({ messageId, timestamp: at(time), ...message });
    await widget.message(messageId).waitFor();
    return messageId;
  };
  const customer = (time, message) =>
    shown((body) => gateway.publish(place, "inbound_message", { from: "447700900123", ...body }), time, message);
  const agent = async (time, status, message) => {
    const messageId = await shown((body) => gateway.emit(place, "outbound_message", body), time, message);
    await gateway.publish(place, "status_update", { messageId, status });
    await widget.ticked(messageId, status);
  };

  await customer("10:17", { text: "Hi! My bike is here 🎉 But its rear light is cracked" });
  const picture = await customer("10:18", { mediaUrl: photo, mediaType: "image/svg+xml", text: "Order VB-20417" });
  await agent("10:20", "read", { text: "Oh no, sorry about that! A new light leaves our warehouse today." });
  const label = "https://files.velo.example/Return%20label%20VB-20417.pdf";
  await agent("10:21", "read", { mediaUrl: label, mediaType: "application/pdf", text: "For the broken one, no hurry." });
  await customer("10:23", { text: "That was quick, thank you! 🙏" });
  await agent("10:24", "delivered", { text: "Enjoy the ride, Sam 🚲" });

  const image = widget.message(picture).locator("img");
  await until("the photo", () => image.evaluate(({ complete, naturalWidth }) => complete && naturalWidth > 0));
  const { page } = widget;
  await page.evaluate(() => document.fonts.ready);
  const log = page.locator("[role=log]");
  await until("the end of the conversation", () =>
    log.evaluate((element) => element.scrollHeight - element.scrollTop - element.clientHeight < 2),
  );
  const problems = widget.problems();
  if (problems.length > 0) throw new Error(`the page complains:\n${problems.join("\n")}`);
  mkdirSync(dirname(resolve(path)), { recursive: true });
  await page.screenshot({ path, animations: "disabled" });
  process.stdout.write(`${path}\n`);
}
