/** The playground of `agent-gateway dev`, pressed by a new user who looks at both widgets. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { test } from "node:test";
import { Agent, NAMESPACES } from "./harness/Agent.js";
import { Gateway } from "./harness/Gateway.js";
import { Playground } from "./harness/Playground.js";
import { stage } from "./harness/stage.js";
import { until } from "./harness/until.js";

const { broker, gateway, browser } = await stage({ command: ["dev"] });

test("two agents see one conversation, each with a token of its own", async (t) => {
  assert.ok(gateway.printed.includes(`${gateway.url}/playground\n`), gateway.printed);
  const playground = await Playground.open(t, browser, gateway);
  for (const [agent, name] of [["ada", "Ada"], ["grace", "Grace"]]) {
    const header = playground.frame(agent).locator("header");
    assert.match(await header.innerText(), new RegExp(`Reading as ${name}`));
    await playground.noted(`getToken for ${name} (initial): a token for 60 min`);
  }
  assert.doesNotMatch(await playground.page.locator("body").innerText(), /eyJ/, "no token is shown");
  assert.deepEqual(playground.problems(), []);
});

test("what the customer writes goes through the broker and comes to both", async (t) => {
  const playground = await Playground.open(t, browser, gateway);
  const text = "Where is my <b>lamp</b>?";
  await playground.page.getByTestId("customer-text").fill(text);
  const written = await playground.press("customer-send", "inbound_message confirmed");
  await playground.both(async (agent) => {
    assert.equal(await playground.message(agent, written).locator(".text").innerText(), text);
    assert.equal(await playground.message(agent, written).getAttribute("data-direction"), "in");
  });
  const ready = await playground.press("customer-random", "inbound_message confirmed");
  await playground.both((agent) => playground.message(agent, ready).waitFor());
  assert.deepEqual(playground.problems(), []);
});

test("the customer's media are shown and can be played", async (t) => {
  const playground = await Playground.open(t, browser, gateway);
  const ids = {};
  for (const kind of ["picture", "voice", "video", "document"]) {
    ids[kind] = await playground.press(`customer-${kind}`, "inbound_message confirmed");
  }
  await playground.both(async (agent) => {
    const part = (kind, selector) => playground.message(agent, ids[kind]).locator(selector);
    // Pictures load when they are about to be seen.
    await part("picture", "img").scrollIntoViewIfNeeded();
    await until("the picture", () => part("picture", "img").evaluate(({ naturalWidth }) => naturalWidth > 0));
    for (const [kind, player, seconds] of [["voice", "audio", 3], ["video", "video", 3]]) {
      await part(kind, player).scrollIntoViewIfNeeded();
      const duration = await until(`the ${player}`, () => part(kind, player).evaluate(({ duration }) => Number.isFinite(duration) && duration));
      assert.equal(Math.round(duration), seconds);
    }
    const link = part("document", "a");
    assert.match(await link.innerText(), /invoice-4711\.pdf/);
    const file = await fetch(await link.getAttribute("href"));
    assert.equal(file.headers.get("content-type"), "application/pdf");
    assert.match(await file.text(), /^%PDF-1/);
  });
  assert.deepEqual(playground.problems(), []);
});

test("an answer comes by the relay, and its ticks through the broker", async (t) => {
  const playground = await Playground.open(t, browser, gateway);
  await playground.page.getByTestId("agent-text").fill("On its way");
  const first = await playground.press("agent-send", "outbound_message taken");
  await playground.both(async (agent) => {
    assert.equal(await playground.message(agent, first).locator(".text").innerText(), "On its way");
    assert.equal(await playground.message(agent, first).getAttribute("data-direction"), "out");
  });
  await playground.offers("On its way");
  for (const status of ["sent", "delivered", "read"]) {
    assert.equal(await playground.press(`tick-${status}`, `status_update ${status} confirmed`), first);
    await playground.both((agent) => playground.ticked(agent, first, status));
  }

  const second = await playground.press("agent-random", "outbound_message taken");
  await playground.both((agent) => playground.message(agent, second).waitFor());
  const third = await playground.press("agent-random", "outbound_message taken");
  const choice = playground.page.getByTestId("tick-message");
  await until("both answers to choose from", () => choice.locator(`option[value="${second}"]`).count());
  await choice.selectOption(second);
  await playground.page.getByTestId("tick-reason").selectOption("131047");
  assert.equal(await playground.press("tick-failed", "status_update failed confirmed"), second);
  await playground.both(async (agent) => {
    await playground.ticked(agent, second, "failed");
    assert.match(await playground.message(agent, second).innerText(), /Not delivered: Re-engagement message/);
    assert.equal(await playground.message(agent, third).getByTestId("tick").count(), 0);
  });
  assert.deepEqual(playground.problems(), []);
});

test("the keyboard alone is enough", async (t) => {
  const playground = await Playground.open(t, browser, gateway);
  const { keyboard } = playground.page;
  const focused = (attribute) => playground.page.evaluate((name) => document.activeElement?.getAttribute(name), attribute);
  const tabTo = async (name) => {
    for (let presses = 0; presses < 40; presses += 1) {
      if ((await focused("data-testid")) === name) return;
      await keyboard.press("Tab");
    }
    assert.fail(`${name} is not reached`);
  };
  await tabTo("customer-text");
  await keyboard.type("By keyboard");
  const written = await playground.does("inbound_message confirmed", () => keyboard.press("Enter"));
  await playground.message("grace", written).waitFor();
  await tabTo("agent-random");
  const answered = await playground.does("outbound_message taken", () => keyboard.press("Space"));
  assert.equal(await focused("data-testid"), "agent-random", "the keyboard's place is kept");
  await playground.message("ada", answered).waitFor();
  assert.deepEqual(playground.problems(), []);
});

test("a narrow screen shows one widget at a time and nothing beside it", async (t) => {
  const playground = await Playground.open(t, browser, gateway, { viewport: { width: 360, height: 740 } });
  const ada = playground.page.getByTestId("frame-ada");
  const grace = playground.page.getByTestId("frame-grace");
  assert.deepEqual([await ada.isVisible(), await grace.isVisible()], [true, false]);
  await playground.page.getByLabel("Grace’s view").check({ force: true });
  await grace.waitFor();
  assert.deepEqual([await ada.isVisible(), await grace.isVisible()], [false, true]);
  const beyond = await playground.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.equal(beyond, 0);
  const written = await playground.press("customer-picture", "inbound_message confirmed");
  await playground.message("grace", written).waitFor();
  assert.deepEqual(playground.problems(), []);
});

test("serve has no playground", async (t) => {
  const serving = await Gateway.start(t, broker);
  const page = await (await fetch(`${gateway.url}/playground`)).text();
  const [, script] = /src="([^"]+\.js)"/.exec(page);
  for (const path of ["/playground", "/playground/scene", "/playground/media/lamp.svg", script]) {
    assert.equal((await fetch(`${gateway.url}${path}`)).status, 200, path);
    assert.equal((await fetch(`${serving.url}${path}`)).status, 404, path);
  }
  for (const route of ["token", "publish", "cut", "outrun"]) {
    const response = await fetch(`${serving.url}/playground/${route}`, { method: "POST" });
    assert.equal(response.status, 404, route);
  }
});

test("only the playground's own page can press its buttons", async () => {
  const own = `127.0.0.1:${gateway.port}`;
  const json = { "content-type": "application/json" };
  const token = JSON.stringify({ agent: "ada", seconds: 60 });
  for (const [status, headers, body = token] of [
    [200, { host: own, ...json }],
    [200, { host: own, ...json, origin: `http://${own}`, "sec-fetch-site": "same-origin" }],
    [200, { host: `localhost:${gateway.port}`, ...json, origin: `http://localhost:${gateway.port}` }],
    [403, { host: `evil.example:${gateway.port}`, ...json }],
    [403, { host: `evil.example:${gateway.port}`, ...json, origin: `http://evil.example:${gateway.port}` }],
    [403, { host: own, ...json, origin: "http://evil.example" }],
    [403, { host: own, ...json, origin: "null" }],
    [403, { host: own, ...json, origin: `http://localhost:${gateway.port}` }],
    [403, { host: own, ...json, "sec-fetch-site": "cross-site" }],
    [403, { host: own, ...json, "sec-fetch-site": "same-site" }],
    [415, { host: own, "content-type": "text/plain" }],
    [415, { host: own, "content-type": "application/x-www-form-urlencoded" }],
    [400, { host: own, ...json }, "{"],
    [413, { host: own, ...json }, JSON.stringify({ agent: "a".repeat(65 * 1024) })],
    [422, { host: own, ...json }, JSON.stringify({ agent: "mallory", seconds: 60 })],
    [422, { host: own, ...json }, JSON.stringify({ agent: "ada", seconds: 0 })],
    [422, { host: own, ...json }, JSON.stringify({ agent: "ada", seconds: 1e9 })],
  ]) {
    const answer = await send("POST", "/playground/token", headers, body);
    assert.equal(answer.status, status, JSON.stringify(headers));
    assert.equal("token" in JSON.parse(answer.body), status === 200);
  }
  const page = (host) => send("GET", "/playground", { host });
  assert.equal((await page("evil.example")).status, 403);
  const { headers, status } = await page(own);
  assert.equal(status, 200);
  assert.match(headers["content-security-policy"], /default-src 'none'.*frame-src 'self'.*frame-ancestors 'none'/);
  assert.doesNotMatch(headers["content-security-policy"], /unsafe/);
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.equal(headers["access-control-allow-origin"], undefined);
  for (const route of ["token", "publish", "cut", "outrun"]) {
    assert.equal((await send("GET", `/playground/${route}`, { host: own })).status, 405, route);
  }
});

test("what the gateway would not take is refused, and nothing goes to another conversation", async (t) => {
  const publish = async (event, payload) => {
    const headers = { host: `127.0.0.1:${gateway.port}`, "content-type": "application/json" };
    const { status, body } = await send("POST", "/playground/publish", headers, JSON.stringify({ event, payload }));
    return { status, ...JSON.parse(body) };
  };
  for (const [event, payload, message] of [
    ["inbound_message", {}, /text: or mediaUrl, .* must be there/],
    ["inbound_message", { mediaUrl: "javascript:alert(1)" }, /mediaUrl: /],
    ["status_update", { messageId: "m", status: "seen" }, /status: /],
    ["status_update", { messageId: 7, status: "read" }, /messageId: /],
    ["joined", {}, /joined/],
  ]) {
    const { status, error } = await publish(event, payload);
    assert.equal(status, 422, event);
    assert.match(error.message, message);
  }
  const maria = await joins(t, "maria");
  const { replaying } = await maria.joined();
  const place = { tenantId: "demo", conversationId: "elsewhere" };
  for (const event of ["inbound_message", "outbound_message"]) {
    assert.equal((await publish(event, { ...place, text: "Whose is this?" })).status, 200);
  }
  await maria.receives(replaying + 2);
  const elsewhere = await joins(t, "elsewhere");
  assert.equal((await elsewhere.joined()).replaying, 0);
});

async function joins(t, conversationId) {
  const join = NAMESPACES["the root namespace with ids in the query"];
  const place = { tenantId: "demo", conversationId };
  return new Agent(t, join(gateway.url, place, { token: gateway.token("demo") }, {}));
}

/** A request with headers that a browser, or `fetch`, would not let anybody set. */
async function send(method, path, headers, body) {
  const sent = request({ host: "127.0.0.1", port: gateway.port, method, path, headers });
  sent.end(body);
  const [response] = await once(sent, "response");
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks).toString() };
}
