/** The playground's trouble: lost connections, missed messages and tokens that run out. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Gateway } from "./harness/Gateway.js";
import { AGENTS, Playground } from "./harness/Playground.js";
import { stage } from "./harness/stage.js";
import { until } from "./harness/until.js";

const { broker, gateway, browser } = await stage({ command: ["dev"] });

test("a dropped connection is told by a banner, to that agent alone, and comes back", async (t) => {
  const playground = await Playground.open(t, browser, gateway);
  const told = await playground.glimpses("ada", "banner");
  const back = await playground.glimpses("ada", "back-online");
  await playground.press("drop", "hung up on Ada: 1 connection");
  await told();
  assert.equal(await playground.part("grace", "banner").count(), 0);
  await back();
  await playground.live("ada");
  await playground.part("ada", "back-online").waitFor({ state: "detached" });

  await playground.page.getByLabel("Both").check({ force: true });
  const bothBack = await Promise.all(AGENTS.map((agent) => playground.glimpses(agent, "back-online")));
  await playground.press("drop", "hung up on Ada and Grace: 2 connections");
  await Promise.all(bothBack.map((seen) => seen()));
  assert.deepEqual(playground.problems({ outage: true }), []);
});

test("whoever is cut off has all messages on return, once, and no notice", async (t) => {
  const playground = await Playground.open(t, browser, gateway);
  await playground.page.getByLabel("Grace", { exact: true }).check({ force: true });
  await playground.press("cut", "hung up on Grace: 1 connection; connects are refused for 12 s");
  const banner = playground.part("grace", "banner", { state: "offline" });
  await until("a refusal", async () => /unavailable.* in [1-8] s/.test(await textOf(banner)));
  const missed = await playground.press("customer-random", "inbound_message confirmed");
  await playground.message("ada", missed).waitFor();
  // Both at one moment: on a slow day the twelve seconds are over by now.
  const early = await playground.frame("grace").locator("body").evaluate((_body, [offline, message]) => {
    return document.querySelector(offline) !== null && document.querySelector(message) !== null;
  }, ['[data-testid="banner"][data-state="offline"]', `[data-message-id="${missed}"]`]);
  assert.equal(early, false, "nothing comes to who is cut off");
  await playground.message("grace", missed).waitFor();
  await playground.live("grace");
  assert.equal(await playground.message("grace", missed).count(), 1);
  for (const agent of AGENTS) assert.equal(await playground.part(agent, "reset-notice").count(), 0);
  assert.deepEqual(playground.problems({ outage: true }), []);
});

test("whoever falls behind is told that messages may be missing", async (t) => {
  const playground = await Playground.open(t, browser, gateway);
  const told = await playground.glimpses("ada", "banner");
  await playground.press("outrun", "276 messages confirmed");
  await playground.frame("grace").getByText("Message 276 of 276").waitFor();
  await told();
  await playground.part("ada", "reset-notice").waitFor();
  await playground.frame("ada").getByText("Message 276 of 276").waitFor();
  await playground.live("ada");
  assert.equal(await playground.part("grace", "reset-notice").count(), 0);
  assert.deepEqual(playground.problems({ outage: true }), []);
});

test("a token that runs out is replaced while the widget stays live", async (t) => {
  const playground = await Playground.open(t, browser, gateway);
  await playground.press("shorten", "getToken for Ada (initial): a token for 60 s");
  await playground.live("ada");
  await playground.noted("getToken for Ada (refresh): a token for 60 min");
  await playground.live("ada");
  const written = await playground.press("customer-random", "inbound_message confirmed");
  await playground.message("ada", written).waitFor();
  assert.equal(await playground.part("ada", "banner").count(), 0);
  assert.deepEqual(playground.problems(), []);
});

test("a session that ends stops the widget, until the agent signs in again", async (t) => {
  const playground = await Playground.open(t, browser, gateway);
  const before = await playground.press("customer-random", "inbound_message confirmed");
  await playground.press("end-session", "getToken for Ada (initial): a token for 5 s");
  await playground.message("ada", before).waitFor();
  await playground.part("ada", "stopped", { reason: "token-expired" }).waitFor();
  await playground.noted("getToken for Ada (refresh): refused, the session has ended");
  const meanwhile = await playground.press("customer-random", "inbound_message confirmed");
  await playground.message("grace", meanwhile).waitFor();
  await playground.press("sign-in", "getToken for Ada (initial): a token for 60 min");
  await playground.live("ada");
  await playground.message("ada", meanwhile).waitFor();
  // The page's own refusals are errors of the host, which a developer is to see in the console.
  const others = playground.problems().filter((problem) => !problem.includes("agent-gateway: getToken failed"));
  assert.deepEqual(others, []);
});

test("a gateway that has ended is told of in the log", async (t) => {
  const own = await Gateway.start(t, broker, {}, ["dev"]);
  const playground = await Playground.open(t, browser, own);
  await own.stop();
  await playground.press("customer-random", "The gateway does not answer. Does it still run?");
  assert.deepEqual(playground.problems({ outage: true }), []);
});

/** The text of a part that may just be going. */
async function textOf(part) {
  return (await part.allInnerTexts()).join("");
}
