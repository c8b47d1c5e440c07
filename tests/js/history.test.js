/** Older messages, from a portal's service: by the client module in a page, by the standalone widget, and by a host. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HistoryServer, past } from "./harness/HistoryServer.js";
import { HostPage } from "./harness/HostPage.js";
import { address, inbound, newPlace, outbound } from "./harness/place.js";
import { Proxy } from "./harness/Proxy.js";
import { stage } from "./harness/stage.js";
import { until } from "./harness/until.js";

const { gateway, browser, host, history } = await stage({
  servers: { host: HostPage, history: HistoryServer },
  variables: ({ host, history }) => ({
    ALLOWED_ORIGINS: host.origin,
    HISTORY_URL_TEMPLATE: history.template,
    REPLAY_MAX_EVENTS: "5",
  }),
});
host.embeds(gateway);

const idsOf = (messages) => messages.map(({ messageId }) => messageId);

test("pages meet the window and what is live: each message once, in order, back to the first", async (t) => {
  const place = newPlace();
  const old = past(120);
  const recent = ["w-1", "w-2", "w-3"];
  history.add(place, ...old);
  for (const messageId of recent) await gateway.publish(place, "inbound_message", inbound(messageId, messageId));
  // The store has heard of one of these already.
  history.add(place, { ...inbound("w-1", "w-1"), direction: "in", timestamp: new Date().toISOString() });
  const client = await Client.open(t, place);
  await client.reaches({ history: "more", state: "live" });
  await gateway.emit(place, "outbound_message", outbound("live-1", "Hello"));
  await client.has("live-1");
  for (let pages = 1; (await client.look()).history.name === "more"; pages += 1) {
    assert.ok(pages <= 3, "121 messages are three pages");
    await client.loadOlder();
  }
  const { ids, heard } = await client.look();
  assert.deepEqual(ids, [...idsOf(old), ...recent, "live-1"]);
  assert.deepEqual(heard.filter(({ news }) => news).map(({ messageId }) => messageId), ["live-1"]);
  const asked = history.requests.filter(({ query }) => query.conversation === place.conversationId);
  assert.deepEqual(asked.map(({ query }) => query.before), [undefined, "old-72", "old-22"]);
  assert.deepEqual([...new Set(asked.map(({ token }) => token))], [client.token], "the agent's own token");
});

test("a slow answer keeps nothing waiting, and repeats nothing that has come meanwhile", async (t) => {
  const place = newPlace();
  history.add(place, ...past(3));
  history.hold();
  t.after(() => history.release());
  const client = await Client.open(t, place);
  await client.reaches({ history: "loading", state: "live" });
  await gateway.publish(place, "inbound_message", inbound("live-1", "Hello"));
  await client.has("live-1");
  history.add(place, { ...inbound("live-1", "Hello"), direction: "in", timestamp: new Date().toISOString() });
  history.release();
  await client.reaches({ history: "complete" });
  assert.deepEqual((await client.look()).ids, ["old-1", "old-2", "old-3", "live-1"]);
});

test("a service that fails is asked again, and nothing else stops", async (t) => {
  const place = newPlace();
  history.add(place, ...past(2));
  history.failing = 503;
  t.after(() => (history.failing = undefined));
  const client = await Client.open(t, place);
  await client.reaches({ history: "failed", state: "live" });
  await gateway.publish(place, "inbound_message", inbound("live-1", "Hello"));
  await client.has("live-1");
  // At the start, and perhaps once more after the join.
  const { errors } = await client.look();
  assert.deepEqual([...new Set(errors)], ["history failed: the history service answered 503"]);
  history.failing = undefined;
  await client.loadOlder();
  await client.reaches({ history: "complete" });
  assert.deepEqual((await client.look()).ids, ["old-1", "old-2", "live-1"]);
});

test("what was missed beyond the window is fetched page by page, and is news", async (t) => {
  const place = newPlace();
  const proxy = await Proxy.start(t, gateway.port);
  history.add(place, ...past(4));
  const client = await Client.open(t, place, proxy.url);
  await client.reaches({ history: "complete", state: "live" });
  await gateway.publish(place, "inbound_message", inbound("seen", "Seen"));
  await client.has("seen");
  history.add(place, { ...inbound("seen", "Seen"), direction: "in", timestamp: new Date().toISOString() });
  proxy.cut();
  await client.reaches({ state: "offline" });
  // The window keeps the last five of them.
  const missed = Array.from({ length: 70 }, (_, index) => `missed-${index + 1}`);
  for (const messageId of missed) {
    await gateway.publish(place, "inbound_message", inbound(messageId, messageId));
    history.add(place, { ...inbound(messageId, messageId), direction: "in", timestamp: new Date().toISOString() });
  }
  proxy.mend();
  await client.has("missed-70");
  await until("the gap is filled", async () => (await client.look()).resets.length > 0);
  const { ids, heard, resets, gaps } = await client.look();
  assert.deepEqual(ids, ["old-1", "old-2", "old-3", "old-4", "seen", ...missed]);
  assert.deepEqual(resets.map(({ filled }) => filled), [true]);
  assert.deepEqual(gaps, []);
  const news = heard.filter(({ news }) => news).map(({ messageId }) => messageId);
  assert.deepEqual(news.sort(), ["seen", ...missed].sort(), "each is news once");
});

test("without an answer a gap is told at its place, until there is one", async (t) => {
  const place = newPlace();
  const proxy = await Proxy.start(t, gateway.port);
  const client = await Client.open(t, place, proxy.url);
  await client.reaches({ history: "complete", state: "live" });
  await gateway.publish(place, "inbound_message", inbound("seen", "Seen"));
  await client.has("seen");
  proxy.cut();
  await client.reaches({ state: "offline" });
  const missed = Array.from({ length: 8 }, (_, index) => `missed-${index + 1}`);
  for (const messageId of missed) await gateway.publish(place, "inbound_message", inbound(messageId, messageId));
  history.failing = 500;
  t.after(() => (history.failing = undefined));
  proxy.mend();
  await client.reaches({ history: "failed", state: "live" });
  await client.has("missed-8");
  const torn = await client.look();
  assert.deepEqual(torn.gaps.map(({ after }) => after), ["seen"]);
  assert.deepEqual(torn.ids, ["seen", ...missed.slice(-5)]);
  history.add(place, ...["seen", ...missed].map((id) => ({ ...inbound(id, id), direction: "in", timestamp: new Date().toISOString() })));
  history.failing = undefined;
  await client.loadOlder();
  await until("the gap is gone", async () => (await client.look()).gaps.length === 0);
  assert.deepEqual((await client.look()).ids, ["seen", ...missed]);
});

test("the standalone widget shows what its service has, with the agent's token", async (t) => {
  const place = { ...newPlace(), conversationId: "5511 98765+4321@x=1".replace(" ", ":") };
  history.add(place, ...past(4));
  history.describe(place, { title: "Order 7", customer: "Sam Taylor" });
  await gateway.publish(place, "inbound_message", inbound("now", "And now"));
  const token = gateway.token(place.tenantId);
  const widget = await browser.open(t, address(gateway, place, token));
  await widget.live();
  // Either may come first.
  for (const messageId of ["old-1", "now"]) await widget.text(messageId);
  assert.deepEqual(await widget.messageIds(), ["old-1", "old-2", "old-3", "old-4", "now"]);
  const [asked] = history.requests.filter(({ query }) => query.conversation === place.conversationId);
  assert.equal(asked.pathname, `/tenants/${place.tenantId}/messages`);
  assert.equal(asked.token, token);
  await widget.page.reload();
  for (const messageId of ["old-1", "now"]) await widget.text(messageId);
  assert.deepEqual(await widget.messageIds(), ["old-1", "old-2", "old-3", "old-4", "now"]);
  assert.deepEqual(widget.problems(), []);
});

test("a conversation that the service does not know is none", async (t) => {
  const place = newPlace();
  history.describe(place, { valid: false });
  // Chromium warns of connections that are given up before they stand.
  history.hold();
  t.after(() => history.release());
  const widget = await browser.open(t, address(gateway, place, gateway.token(place.tenantId)));
  await widget.live();
  history.release();
  await widget.sees("stopped", { reason: "no-such-conversation" });
  assert.deepEqual(widget.problems(), []);
});

test("a host answers for its widgets, hears what happens in them, and changes them", async (t) => {
  const place = newPlace();
  const client = await browser.open(t, host.page(embedTag(place), hostScript(gateway.token(place.tenantId))));
  const widget = client.frame("iframe");
  await widget.live();
  await widget.text("host-2");
  assert.deepEqual(await widget.messageIds(), ["host-1", "host-2"]);
  await gateway.publish(place, "inbound_message", inbound("now", "And now"));
  await widget.text("now");
  const heard = await until("the host hears of it", async () => {
    const { heard } = await client.page.evaluate(() => window.diary);
    return heard.some(([type]) => type === "message") && heard;
  });
  assert.deepEqual(heard.filter(([type]) => type === "message"), [["message", "now"]]);
  assert.ok(heard.some(([type, what]) => type === "state" && what === "live"));
  const { asked } = await client.page.evaluate(() => window.diary);
  assert.deepEqual(asked, [{ ...place, dataset: place, limit: 50, signal: {} }]);
  assert.deepEqual(client.problems(), []);
});

/** A host with a history of its own, and a diary of what it is asked and told. */
const hostScript = (token) => `
  window.diary = { asked: [], heard: [] };
  window.AgentGateway = {
    getToken: () => "${token}",
    history: async (context) => {
      diary.asked.push(JSON.parse(JSON.stringify(context)));
      const at = (hour) => ({ messageId: "host-" + hour, direction: "in", text: "At " + hour, timestamp: "2026-03-01T0" + hour + ":00:00Z" });
      return { messages: [at(1), at(2)], more: false };
    },
  };
  for (const [type, what] of [["state", "name"], ["message", "messageId"]]) {
    document.addEventListener("agent-gateway:" + type, ({ detail }) => diary.heard.push([type, detail[what]]));
  }
`;

function embedTag({ tenantId, conversationId }) {
  return `<script src="${gateway.url}/embed.js" data-tenant-id="${tenantId}" data-conversation-id="${conversationId}"></script>`;
}

/** The client module in a page of another origin, with what it has said. */
class Client {
  token;
  #page;

  static async open(t, place, url = gateway.url) {
    const client = new Client();
    client.token = gateway.token(place.tenantId);
    const options = { url, ...place, token: client.token, template: history.template };
    const script = `
      import { Conversation, fetchHistory } from ${JSON.stringify(`${gateway.url}/client.js`)};
      const { token, template, ...options } = ${JSON.stringify(options)};
      const conversation = new Conversation({ ...options, getToken: () => token, history: fetchHistory(template, options) });
      const said = { heard: [], resets: [], errors: [] };
      conversation.on("message", ({ messageId }, origin, news) => said.heard.push({ messageId, origin, news }));
      conversation.on("messages", (messages, origin, news) => {
        messages.forEach(({ messageId }, index) => said.heard.push({ messageId, origin, news: index >= messages.length - news }));
      });
      conversation.on("reset", (gap) => said.resets.push(gap));
      conversation.on("error", ({ message, cause }) => said.errors.push(message + ": " + cause?.message));
      Object.assign(window, { conversation, said });
      conversation.connect();
    `;
    const page = host.other(`/client-${place.conversationId}.html`, `<!doctype html><link rel="icon" href="data:,"><script type="module">${script}</script>`);
    client.#page = (await browser.open(t, page)).page;
    await client.#page.waitForFunction(() => "conversation" in window);
    return client;
  }

  /** What is known and has been said. */
  look() {
    return this.#page.evaluate(() => ({
      ids: conversation.messages.map(({ messageId }) => messageId),
      state: conversation.state,
      history: conversation.history,
      gaps: conversation.gaps,
      ...said,
    }));
  }

  async reaches(wanted) {
    const missing = () => `${JSON.stringify(wanted)} is reached`;
    await until(missing, async () => {
      const now = await this.look();
      return Object.entries(wanted).every(([what, name]) => now[what].name === name);
    });
  }

  async has(messageId) {
    await until(`${messageId} has come`, async () => (await this.look()).ids.includes(messageId));
  }

  /** Asks for what is older, and waits for the answer. */
  async loadOlder() {
    await this.#page.evaluate(() => conversation.loadOlder());
    await until("the history has answered", async () => (await this.look()).history.name !== "loading");
  }
}
