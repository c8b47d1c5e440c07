/**
 * The pictures of docs/, an entry each: the file's name, how the page is opened, and what happens on it before the
 * picture is taken. `stopped: true`: nothing is to come, because the page was refused.
 */
import { BICYCLE } from "./pictures.js";
import { earlier } from "./Stage.js";
import { gap, loading, replies, unread } from "./threads.js";
import { types } from "./types.js";

/** As tall as all types of messages are, and drawn pixel by pixel: pictures of a thread as long as a wall. */
const TALL = { deviceScaleFactor: 1, viewport: { width: 420, height: 2400 } };

export const SCENES = [
  { name: "widget", options: {}, play: rearLight },
  { name: "widget-dark", options: { colorScheme: "dark" }, play: rearLight },
  { name: "widget-narrow", options: { viewport: { width: 280, height: 560 } }, play: rearLight },
  { name: "widget-empty", options: {}, play: async ({ widget }) => widget.sees("empty") },
  {
    name: "widget-busy",
    options: { viewport: { width: 820, height: 620 }, query: { title: "Customers of the Riverside workshop" } },
    play: busy,
  },
  {
    name: "widget-media",
    options: {},
    async play(scene) {
      await scene.customer("09:40", { mediaUrl: scene.media.drawing("bicycle", 330, 190, BICYCLE), text: "This is how it arrived" });
      await scene.customer("09:41", { mediaUrl: scene.media.voice, mediaType: "audio/wav" });
      await scene.agent("09:47", "read", {
        mediaUrl: "https://files.velo.example/Return%20label%20VB-20417.pdf",
        mediaType: "application/pdf",
        text: "Your return label. Print it, or show it at the counter.",
      });
      await scene.customer("09:52", "👍");
    },
  },
  {
    name: "widget-failed",
    options: {},
    async play(scene) {
      await scene.customer(earlier(2, "16:05"), "Can I still change the delivery address?");
      await scene.agent(earlier(2, "16:11"), "read", "Of course. Where should it go?");
      await scene.customer(earlier(2, "16:12"), "12 Mill Lane, please");
      await scene.agent("10:02", "failed", "Good morning Sam, your parcel is out for delivery today between 11:00 and 13:00.", {
        code: 131047,
        title: "More than 24 hours have passed since the customer last replied",
      });
      await scene.agent("10:05", "sent", "Velo Delivery: your parcel VB-20417 comes today, 11:00 to 13:00.");
    },
  },
  {
    name: "widget-offline",
    options: {},
    outage: true,
    async play(scene) {
      await rearLight(scene);
      scene.network.cut();
      const { widget, page } = scene;
      await widget.sees("banner", { state: "offline" });
      // The third wait is the first of some seconds. The page's clock goes from one try to the next, and then stands.
      const countdown = widget.part("banner").locator(".countdown");
      for (let second = 0; !/ [345] s/.test(await countdown.innerText()); second += 1) await page.clock.runFor(250);
    },
  },
  { name: "widget-types", options: TALL, play: types },
  { name: "widget-types-dark", options: { ...TALL, colorScheme: "dark" }, play: types },
  { name: "widget-types-narrow", options: { ...TALL, viewport: { width: 280, height: 2400 } }, play: types },
  { name: "widget-replies", options: { viewport: { width: 420, height: 860 } }, play: replies },
  { name: "widget-unread", options: {}, play: unread },
  { name: "widget-gap", options: { variables: { REPLAY_MAX_EVENTS: "2" } }, outage: true, play: gap },
  {
    name: "widget-history",
    options: { variables: ({ history }) => ({ HISTORY_URL_TEMPLATE: history.template }) },
    play: loading,
  },
  { name: "widget-skeleton", options: { held: true }, play: async ({ page }) => page.locator("#app > .skeleton").waitFor() },
  {
    name: "widget-stopped",
    options: { token: "expired" },
    async play({ widget }) {
      await widget.sees("stopped");
    },
  },
];

async function rearLight(scene) {
  await scene.customer("10:17", "Hi! My bike is here 🎉 But its rear light is cracked");
  await scene.customer("10:18", { mediaUrl: scene.media.drawing("bicycle", 330, 190, BICYCLE), mediaType: "image/svg+xml", text: "Order VB-20417" });
  await scene.agent("10:20", "read", "Oh no, sorry about that! A new light leaves our warehouse today.");
  const label = "https://files.velo.example/Return%20label%20VB-20417.pdf";
  await scene.agent("10:21", "read", { mediaUrl: label, mediaType: "application/pdf", text: "For the broken one, no hurry." });
  await scene.customer("10:23", "That was quick, thank you! 🙏");
  await scene.agent("10:24", "delivered", "Enjoy the ride, Sam 🚲");
}

async function busy(scene) {
  const { widget, page } = scene;
  const anna = { from: "447700900456" };
  const lines = [
    ["in", "Morning! Is the workshop open on Saturday?"],
    ["out", "Good morning! Yes, from 9:00 to 16:00."],
    ["anna", "And do you take e-bikes?"],
    ["out", "We do. Bring the charger along, please: we test the battery as well. It usually takes a day, and we call you before anything costs more than we agreed."],
    ["in", "Great. What does a full service cost?"],
    ["out", "£65 for a city bike, £85 for an e-bike.\nNew brake pads are £18 a pair, fitted.\n\nPrices: https://velo.example/workshop"],
    ["anna", "The link works, thanks"],
    ["in", "Could you look at the gears, too? They jump under load, mostly uphill in third and fourth."],
    ["out", "Sure, that sounds like a worn cassette. We have it in stock."],
    ["in", "Perfect"],
    ["in", "See you on Saturday then!"],
    ["out", "See you 👋"],
  ];
  let minute = 0;
  for (let round = 0; round < 3; round += 1) {
    for (const [who, text] of lines) {
      minute += 2;
      const time = earlier(1, `0${8 + Math.floor(minute / 60)}:${String(minute % 60).padStart(2, "0")}`);
      if (who === "out") await scene.agent(time, "read", text);
      else await scene.customer(time, { text, ...(who === "anna" && anna) });
    }
  }
  await page.getByRole("log").focus();
  await page.keyboard.press("Home");
  await widget.sees("to-latest");
  await page.getByRole("log").evaluate((log) => {
    log.blur();
    log.scrollTop = 150;
  });
  for (const text of ["Hello?", "I am at the door", "Found it, thanks!"]) await scene.customer("10:22", text);
  await widget.sees("pill");
}
