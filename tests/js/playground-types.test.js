/** The playground's types of messages, its webhook and its history service, and what both widgets show of them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Playground } from "./harness/Playground.js";
import { stage } from "./harness/stage.js";
import { until } from "./harness/until.js";

const { gateway, browser } = await stage({ command: ["dev"] });

test("a button for each type: both widgets show it", async (t) => {
  const playground = await Playground.open(t, browser, gateway);
  const customer = "inbound_message confirmed";
  const words = {
    sticker: "",
    location: "Castelo de São Jorge",
    contacts: "João Lopes",
    button: "Answer by button",
    interactive: "Answer from a list or form",
    order: "2 × lamp",
    forwarded: "Forwarded",
    system: "Maria changed their phone number",
    unsupported: "This kind of message can’t be shown here",
  };
  for (const [kind, text] of Object.entries(words)) {
    const messageId = await playground.press(`customer-${kind}`, customer);
    await playground.both((agent) => playground.message(agent, messageId).getByText(text).first().waitFor());
  }
  const answer = await playground.press("agent-random", "outbound_message");
  await playground.both((agent) => playground.message(agent, answer).waitFor());
  await until("the page has read the answer", async () => !(await playground.page.getByTestId("tick-message").locator("option").first().textContent()).includes("No answer yet"));
  const reply = await playground.press("customer-reply", customer);
  await playground.both((agent) => playground.message(agent, reply).getByTestId("quote").waitFor());
  await playground.press("customer-reaction", customer);
  await playground.both((agent) => playground.message(agent, answer).getByTestId("reactions").waitFor());
  await playground.press("customer-unreaction", customer);
  await playground.both((agent) => playground.message(agent, answer).getByTestId("reactions").waitFor({ state: "detached" }));
  await playground.press("customer-edit", customer);
  await playground.both((agent) => playground.message(agent, reply).getByText("Edited").waitFor());
  await playground.press("customer-delete", customer);
  await playground.both((agent) => playground.message(agent, reply).getByText("This message was deleted").waitFor());
  assert.deepEqual(playground.problems(), []);
});

test("a Cloud API webhook goes into the exchange as it is, and comes out as messages and a tick", async (t) => {
  const playground = await Playground.open(t, browser, gateway);
  const answer = await playground.press("agent-random", "outbound_message");
  await playground.both((agent) => playground.message(agent, answer).waitFor());
  await until("the page has read the answer", async () => !(await playground.page.getByTestId("tick-message").locator("option").first().textContent()).includes("No answer yet"));
  await playground.press("webhook", "a Cloud API webhook confirmed");
  await playground.both(async (agent) => {
    const frame = playground.frame(agent);
    await frame.locator("strong", { hasText: "webhook" }).first().waitFor();
    await frame.getByText("… that answers itself").first().waitFor();
    await playground.ticked(agent, answer, "read");
  });
  assert.deepEqual(playground.problems(), []);
});

test("with a history service both widgets begin with the days before, and what fails can be tried again", async (t) => {
  const playground = await Playground.open(t, browser, gateway);
  await playground.page.getByTestId("history-fails").check({ force: true });
  await playground.both((agent) => playground.part(agent, "history", { state: "failed" }).waitFor({ state: "attached" }));
  await playground.page.getByTestId("history-answers").check({ force: true });
  await playground.both(async (agent) => {
    await playground.live(agent);
    await playground.message(agent, "past-180").waitFor({ state: "attached" });
    await playground.frame(agent).getByRole("log").evaluate((log) => (log.scrollTop = 0));
  });
  await playground.both((agent) =>
    until("the first message of all", async () => {
      await playground.frame(agent).getByRole("log").evaluate((log) => (log.scrollTop = 0));
      return (await playground.message(agent, "past-1").count()) === 1;
    }),
  );
  // The service failed because it was told to, of which the page makes no secret.
  const expected = /history failed|the history service is down|agent-gateway: history/;
  assert.deepEqual(playground.problems().filter((problem) => !expected.test(problem)), []);
});
