/** The widget behind nginx, as people configure it: live in the browser, or with the message that says what to write. */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Agent, NAMESPACES, TRANSPORTS } from "./harness/Agent.js";
import { Gateway } from "./harness/Gateway.js";
import { HostPage } from "./harness/HostPage.js";
import { example, Nginx } from "./harness/Nginx.js";
import { address, inbound, newPlace } from "./harness/place.js";
import { stage } from "./harness/stage.js";
import { until } from "./harness/until.js";

const { broker, gateway, browser } = await stage();

const WEBSOCKETS = `
  proxy_http_version 1.1;
  proxy_set_header Upgrade $http_upgrade;
  proxy_set_header Connection "upgrade";`;

/** What a proxy tells of the host that was asked for, and whether that is enough for the gateway to know its own pages. */
const HOSTS = {
  "the host and port of the request ($http_host)": { headers: "proxy_set_header Host $http_host;", enough: true },
  "the host without its port ($host)": { headers: "proxy_set_header Host $host;", enough: false },
  "its own name for the gateway (a bare proxy_pass)": { headers: "", enough: false },
};

/** With and without what WebSockets need, as a bare `proxy_pass` has not. */
const CARRIAGES = { "WebSockets pass": WEBSOCKETS, "only polling passes": "" };

for (const [what, { headers, enough }] of Object.entries(HOSTS)) {
  for (const [carriage, upgrade] of Object.entries(CARRIAGES)) {
    describe(`nginx passes on ${what}, and ${carriage}`, () => {
      test(enough ? "the widget is live" : "the widget says what to write", async (t) => {
        const nginx = await Nginx.prepare(t);
        await nginx.start(location("/", pass(gateway), headers, upgrade));
        const place = newPlace();
        const page = await browser.open(t, address(nginx, place, gateway.token(place.tenantId)));
        if (enough) await isLive(page, place, gateway);
        else await isRefused(page, nginx.url);
      });

      test("with PUBLIC_URL the widget is live", async (t) => {
        const nginx = await Nginx.prepare(t);
        const own = await Gateway.start(t, broker, { PUBLIC_URL: nginx.url });
        await nginx.start(location("/", pass(own), headers, upgrade));
        const place = newPlace();
        const page = await browser.open(t, address(nginx, place, own.token(place.tenantId)));
        await isLive(page, place, own);
        assert.deepEqual(page.problems({ outage: upgrade === "" }), []);
      });
    });
  }
}

test("a widget whose origin is refused opens no session more, and is live once the gateway knows it and the agent tries again", async (t) => {
  const nginx = await Nginx.prepare(t);
  const page = await browser.open(t, "about:blank");
  await page.page.clock.install();
  const own = await Gateway.start(t, broker);
  await nginx.start(location("/", pass(own), "", WEBSOCKETS));
  const place = newPlace();
  await page.page.goto(address(nginx, place, own.token(place.tenantId)));
  const panel = await page.sees("stopped", { reason: "origin-not-allowed" });
  let requests = 0;
  page.page.on("request", (request) => (requests += request.url().includes("/socket.io") ? 1 : 0));
  await page.page.clock.runFor(600_000);
  assert.equal(requests, 0, "nothing for ten minutes");
  await own.restart({ PUBLIC_URL: nginx.url });
  await panel.getByRole("button").click();
  // From here on the page's time passes again as the test has it.
  await until("the page is live", async () => {
    await page.page.clock.runFor(10);
    return (await page.part("state", { state: "live" }).count()) === 1;
  });
});

/** Where a proxy has the gateway below a path: it leaves the path in the address, or takes it out. */
const PREFIXES = {
  "takes the prefix out": { to: "/", without: true },
  "leaves the prefix in": { to: "", without: false },
};

for (const [how, { to, without }] of Object.entries(PREFIXES)) {
  describe(`Below a path, nginx ${how}`, () => {
    /** A gateway behind nginx, both for one test; `base` is what it is called outside. */
    async function below(t, variables = {}) {
      const nginx = await Nginx.prepare(t);
      const base = `${nginx.url}/realtime`;
      const own = await Gateway.start(t, broker, { PUBLIC_URL: base, ...variables });
      await nginx.start(location("/realtime/", pass(own) + to, "", WEBSOCKETS));
      return { own, base, place: newPlace() };
    }

    for (const name of ["widget", "widget.html"]) {
      test(`the widget is live at /realtime/${name}`, async (t) => {
        const { own, base, place } = await below(t);
        const page = await browser.open(t, address({ url: base }, place, own.token(place.tenantId)).replace("/widget?", `/${name}?`));
        await isLive(page, place, own);
        assert.deepEqual(page.problems(), []);
      });
    }

    test("the address alone leads to the widget", async (t) => {
      const { base } = await below(t);
      const page = await browser.open(t, `${base}/`);
      await page.sees("stopped", { reason: "missing-conversation" });
      assert.equal(page.page.url(), `${base}/widget`);
      assert.deepEqual(page.problems(), []);
    });

    test("a portal embeds the widget, whatever the tag", async (t) => {
      const host = await HostPage.start(t);
      const { own, base, place } = await below(t, { ALLOWED_ORIGINS: host.origin });
      host.embeds({ url: new URL(base).origin });
      const data = `data-tenant-id="${place.tenantId}" data-conversation-id="${place.conversationId}"`;
      const tags = ["", 'type="module"'].map((more) => `<script src="${base}/embed.js" ${more} ${data}></script>`);
      const token = own.token(place.tenantId);
      const page = await browser.open(t, host.page(tags.join(""), `window.AgentGateway = { getToken: () => "${token}" };`));
      for (const number of [0, 1]) {
        const frame = page.page.locator("iframe").nth(number);
        assert.match(await frame.evaluate(({ src }) => src), /\/realtime\/widget\?/);
        await page.frame(`iframe >> nth=${number}`).live();
      }
      await own.publish(place, "inbound_message", inbound("hello", "Hello, both"));
      for (const number of [0, 1]) assert.equal(await page.frame(`iframe >> nth=${number}`).text("hello"), "Hello, both");
      assert.deepEqual(page.problems(), []);
    });

    test("a portal's own front end uses the client module with the address as its url", async (t) => {
      const host = await HostPage.start(t);
      const { own, base, place } = await below(t, { ALLOWED_ORIGINS: host.origin });
      const options = JSON.stringify({ url: base, ...place });
      const script = `
        import { Conversation } from "${base}/client.js";
        window.conversation = new Conversation({ ...${options}, getToken: () => '"${own.token(place.tenantId)}"\\n' });
        window.conversation.connect();`;
      const page = await browser.open(t, host.other("/app", `<!doctype html><link rel="icon" href="data:,"><script type="module">${script}</script>`));
      await until("the conversation is live", () => page.page.evaluate(() => window.conversation?.state.name === "live"));
      await own.publish(place, "inbound_message", inbound("hello", "Hello"));
      await until("the message", () => page.page.evaluate(() => window.conversation.messages[0]?.text === "Hello"));
      assert.deepEqual(page.problems(), []);
    });

    for (const [carriage, transports] of Object.entries(TRANSPORTS)) {
      test(`the official client joins with the path, over ${carriage}`, async (t) => {
        const { own, base, place } = await below(t);
        const { origin, pathname } = new URL(base);
        const enter = NAMESPACES["the root namespace with ids in the query"];
        const agent = new Agent(t, enter(origin, place, { token: own.token(place.tenantId) }, { path: `${pathname}/socket.io`, transports }));
        await agent.joined();
        await own.publish(place, "inbound_message", inbound("hello", "Hello"));
        await agent.receives(1);
        assert.deepEqual(agent.texts, ["Hello"]);
      });
    }

    if (without) {
      test("the widget needs no PUBLIC_URL when the proxy passes on the host", async (t) => {
        const nginx = await Nginx.prepare(t);
        await nginx.start(location("/realtime/", pass(gateway) + to, "proxy_set_header Host $http_host;", WEBSOCKETS));
        const place = newPlace();
        const page = await browser.open(t, address({ url: `${nginx.url}/realtime` }, place, gateway.token(place.tenantId)));
        await isLive(page, place, gateway);
      });

      test("the widget says what to write when it does not, the path included", async (t) => {
        const nginx = await Nginx.prepare(t);
        await nginx.start(location("/realtime/", pass(gateway) + to, "", WEBSOCKETS));
        const place = newPlace();
        const page = await browser.open(t, address({ url: `${nginx.url}/realtime` }, place, gateway.token(place.tenantId)));
        await isRefused(page, `${nginx.url}/realtime`);
      });
    }
  });
}

/** The examples of `deploy/`, as they are, with what they say to set for the gateway. */
const EXAMPLES = {
  "nginx.conf": "",
  "nginx-path.conf": "/realtime",
  "nginx-path-stripped.conf": "/realtime",
};

for (const [name, prefix] of Object.entries(EXAMPLES)) {
  describe(`The example deploy/${name}, with TLS and HTTP/2`, () => {
    /** Behind nginx with the example, and on WebSockets. */
    async function behind(t) {
      const nginx = await Nginx.prepare(t);
      const { configuration, variables } = await example(name);
      const origin = nginx.tlsUrl;
      const known = Object.entries(variables).map(([variable, value]) => [variable, value.replace(/^https:\/\/[^/]+/, origin)]);
      const own = await Gateway.start(t, broker, Object.fromEntries(known));
      await nginx.startExample({ configuration }, own.port);
      return { nginx, own, base: origin + prefix, place: newPlace() };
    }

    test("the widget is live", async (t) => {
      const { own, base, place } = await behind(t);
      const page = await browser.open(t, "about:blank", { ignoreHTTPSErrors: true });
      const sockets = [];
      page.page.on("websocket", (socket) => sockets.push(socket.url()));
      await page.page.goto(address({ url: base }, place, own.token(place.tenantId)));
      await isLive(page, place, own);
      const protocols = await page.page.evaluate(() => performance.getEntries().map(({ nextHopProtocol }) => nextHopProtocol));
      assert.ok(protocols.includes("h2"), `HTTP/2 among ${protocols}`);
      assert.equal(sockets.length, 1);
      assert.ok(sockets[0].startsWith(`${base.replace("https", "wss")}/socket.io/`), sockets[0]);
      assert.deepEqual(page.problems(), []);
    });
  });
}

function location(path, to, ...more) {
  return `location ${path} { proxy_pass ${to}; ${more.join("\n")} }`;
}

function pass({ port }) {
  return `http://127.0.0.1:${port}`;
}

/** What is published through the exchange is on the page. */
async function isLive(page, place, at) {
  await page.live();
  await at.publish(place, "inbound_message", inbound("hello", "Hello, proxy"));
  assert.equal(await page.text("hello"), "Hello, proxy");
}

/** The page says that its origin is refused, and what the operator has to write. */
async function isRefused(page, url) {
  const panel = await page.sees("stopped", { reason: "origin-not-allowed" });
  assert.equal(await page.part("setting").innerText(), `PUBLIC_URL=${url}`);
  assert.match(await panel.innerText(), /doesn’t accept this page[^]*Tell your administrator[^]*Try again/);
  await page.sees("state", { state: "stopped" });
  assert.equal(await page.part("banner").count(), 0);
}
