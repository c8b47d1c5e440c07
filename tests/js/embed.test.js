/** The widget in a portal's page: `/embed.js`, and tokens by postMessage. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { HostPage } from "./harness/HostPage.js";
import { now } from "./harness/jwt.js";
import { inbound, newPlace } from "./harness/place.js";
import { stage } from "./harness/stage.js";
import { until } from "./harness/until.js";

/** A host that has its tokens from the test, and remembers every message that its frames send it. */
const HOST_SCRIPT = `
  window.heard = [];
  window.addEventListener("message", ({ data, origin }) => heard.push({ data, origin }));
  window.AgentGateway = { getToken: (context) => window.issue(context) };
`;

const { gateway, browser, host } = await stage({
  servers: { host: HostPage },
  variables: ({ host }) => ({ ALLOWED_ORIGINS: host.origin, JWT_LEEWAY_SECONDS: "0" }),
});
host.embeds(gateway);

test("two agents watch one conversation in one page, each with a token of its own", async (t) => {
  const place = newPlace();
  const body = tag(place, { agent: "ada", title: "Sam (Ada)" }) + tag(place, { agent: "grace", lang: "de", height: "300" });
  const { page, asked } = await openHost(t, body, ({ dataset: { agent } }) => gateway.token(place.tenantId, { sub: agent, name: agent }));
  const [ada, grace] = [page.frame("iframe >> nth=0"), page.frame("iframe >> nth=1")];
  await ada.live();
  await grace.live();
  assert.match(await ada.root.locator("header").innerText(), /Sam \(Ada\)\s+Reading as ada/);
  assert.match(await grace.root.locator("header").innerText(), /grace/);
  await grace.root.locator('html[lang="de"]').waitFor();

  await gateway.publish(place, "inbound_message", inbound("hello", "Hello, both"));
  assert.equal(await ada.text("hello"), "Hello, both");
  assert.equal(await grace.text("hello"), "Hello, both");

  const contexts = asked.map(({ dataset, ...context }) => ({ ...context, agent: dataset.agent }));
  contexts.sort((a, b) => a.agent.localeCompare(b.agent));
  assert.deepEqual(contexts, ["ada", "grace"].map((agent) => ({ ...place, reason: "initial", agent })));
  const frames = await page.page.locator("iframe").evaluateAll((all) =>
    all.map(({ title, src, offsetHeight }) => ({ title, src, offsetHeight })),
  );
  assert.deepEqual(frames.map(({ title }) => title), ["Sam (Ada)", `Conversation ${place.conversationId}`]);
  assert.deepEqual(frames.map(({ offsetHeight }) => offsetHeight), [600, 300]);
  for (const { src } of frames) assert.doesNotMatch(src, /token|#/, "no token is in an address");
  const questions = (await heardTypes(page)).filter((type) => type === "agent-gateway:ready");
  assert.equal(questions.length, 2, "each asks once");
  assert.deepEqual(page.problems(), []);
});

test("an expired token is replaced by one that the host is asked for again", async (t) => {
  const place = newPlace();
  const { page, asked } = await openHost(t, tag(place), ({ reason }) =>
    gateway.token(place.tenantId, reason === "initial" ? { exp: now() - 60 } : {}),
  );
  await page.frame("iframe").live();
  assert.deepEqual(asked.map(({ reason }) => reason), ["initial", "refresh"]);
  assert.deepEqual(page.problems(), []);
});

test("a host without a token stops the widget, which asks again when the agent does", async (t) => {
  const place = newPlace();
  let signedIn = false;
  const { page, asked } = await openHost(t, tag(place), () => {
    if (!signedIn) throw new Error("nobody is signed in");
    return gateway.token(place.tenantId);
  });
  const widget = page.frame("iframe");
  const panel = await widget.sees("stopped", { reason: "token-unavailable" });
  await until("the host hears of its mistake", () => page.problems().length > 0);
  assert.match(page.problems()[0], /agent-gateway: getToken failed/);
  signedIn = true;
  await panel.getByRole("button").click();
  await widget.live();
  assert.deepEqual(asked.map(({ reason }) => reason), ["initial", "initial"], "a widget that never had one has none to refresh");
});

test("a host may answer the token as it came from its server, and hears what it was when it is none", async (t) => {
  const place = newPlace();
  const answers = ["<!doctype html>\n<title>Sign in</title>", `${JSON.stringify(gateway.token(place.tenantId))}\n`];
  const { page } = await openHost(t, tag(place), () => answers.shift());
  const widget = page.frame("iframe");
  const panel = await widget.sees("stopped", { reason: "token-unusable" });
  assert.match(await panel.innerText(), /Signing in didn’t work[^]*something that is no sign-in/);
  await until("the console says what it was", () => page.problems().length > 0);
  assert.match(page.problems()[0], /getToken answered an HTML page/);
  await panel.getByRole("button").click();
  await widget.live();
  assert.equal(page.problems().length, 1);
});

test("a token that the host hands over unasked takes up again a widget that has stopped", async (t) => {
  const place = newPlace();
  const { page } = await openHost(t, tag(place), () => "garbage");
  const widget = page.frame("iframe");
  await widget.sees("stopped", { reason: "invalid-token" });
  await page.page.evaluate(
    ([token, origin]) => {
      document.querySelector("iframe").contentWindow.postMessage({ type: "agent-gateway:token", token }, origin);
    },
    [gateway.token(place.tenantId), gateway.url],
  );
  await widget.live();
  assert.deepEqual(page.problems(), []);
});

test("a widget takes no token from anyone but its parent", async (t) => {
  const place = newPlace();
  const evil = gateway.token(place.tenantId, { sub: "mallory", name: "Mallory" });
  const sibling = host.other(
    "/sibling",
    `<script>
      const steal = () => {
        for (let i = 0; i < parent.length; i += 1) {
          parent[i].postMessage({ type: "agent-gateway:token", token: ${JSON.stringify(evil)} }, "*");
        }
        parent.posted = true;
      };
      steal();
      setInterval(steal, 5);
    </script>`,
  );
  let release;
  const allowed = new Promise((resolve) => (release = resolve));
  const body = `${tag(place)}<iframe id="sibling" src="${sibling}"></iframe>`;
  const { page, asked } = await openHost(t, body, async () => {
    await allowed;
    return gateway.token(place.tenantId, { sub: "ada", name: "Ada" });
  });
  const widget = page.frame("iframe >> nth=0");
  await until("the widget is ready and the other frame busy", async () => asked.length === 1 && page.page.evaluate(() => window.posted));
  release();
  await widget.live();
  assert.match(await widget.root.locator("header").innerText(), /Reading as Ada/);
  assert.deepEqual(page.problems(), []);
});

test("the host gives a token to nobody but the gateway's own page in its own frame", async (t) => {
  const place = newPlace();
  // A page that calls itself ready, from the host's own origin: in a frame of its own, and where the widget was.
  const thief = host.other(
    "/thief",
    `<script>
      addEventListener("message", ({ data }) => { parent.stolen = data; });
      parent.postMessage({ type: "agent-gateway:ready" }, "*");
      parent.tried = (parent.tried ?? 0) + 1;
    </script>`,
  );
  const { page, asked } = await openHost(t, `${tag(place)}<iframe id="thief" src="${thief}"></iframe>`, () => gateway.token(place.tenantId));
  await page.frame("iframe >> nth=0").live();
  await page.page.locator("iframe").first().evaluate((frame, address) => (frame.src = address), thief);
  await until("both have asked", () => page.page.evaluate(() => window.tried === 2));
  // Its messages come in order: what the host did about the thieves, it did before it heard this one.
  await page.page.evaluate(() => new Promise((resolve) => {
    addEventListener("message", ({ data }) => data === "last" && resolve());
    postMessage("last");
  }));
  assert.equal(asked.length, 1);
  assert.equal(await page.page.evaluate(() => window.stolen), undefined);
});

test("a host can mount widgets where and when it wants, and take them out again", async (t) => {
  const place = newPlace();
  const body = `<p>Portal</p><div id="place"></div><script src="${gateway.url}/embed.js"></script>`;
  const { page, asked } = await openHost(t, body, () => gateway.token(place.tenantId));
  assert.equal(await page.page.locator("iframe").count(), 0);
  await page.page.evaluate((place) => {
    window.mounted = window.AgentGateway.mount(document.querySelector("#place"), { ...place, height: "50vh", dataset: { row: "7" } });
  }, place);
  await page.frame("#place > iframe").live();
  assert.equal(asked[0].dataset.row, "7");
  await page.page.evaluate(() => window.mounted.unmount());
  assert.equal(await page.page.locator("iframe").count(), 0);
  const complaint = await page.page.evaluate(() => {
    try {
      window.AgentGateway.mount(document.body, { tenantId: "acme" });
    } catch (error) {
      return error.message;
    }
  });
  assert.match(complaint, /needs both a tenantId and a conversationId/);
  assert.deepEqual(page.problems(), []);
});

test("a tag's widget goes where data-target says, and getToken may come later than the tag", async (t) => {
  const place = newPlace();
  const script = `${HOST_SCRIPT} delete window.AgentGateway;
    window.addEventListener("load", () => { window.AgentGateway.getToken = (context) => window.issue(context); });`;
  // An image on its way keeps the page from being loaded for as long as the widget has not asked.
  const body = `${tag(place, { target: "#here" })}<main id="here"></main><img src="/slow.svg" alt="">`;
  const asksEarly = async (page) => {
    await page.route("**/slow.svg", async (route) => {
      await until("the widget is ready", () => page.evaluate(() => window.heard?.length > 0));
      await route.fulfill({ contentType: "image/svg+xml", body: '<svg xmlns="http://www.w3.org/2000/svg"/>' });
    });
  };
  const { page } = await openHost(t, body, () => gateway.token(place.tenantId), script, asksEarly);
  await page.frame("main > iframe").live();
  assert.deepEqual(page.problems(), []);
});

test("a page that is no allowed ancestor frames nothing", async (t) => {
  const stranger = await HostPage.start(t);
  stranger.embeds(gateway);
  const place = newPlace();
  const asked = [];
  const page = await browser.open(t, "about:blank");
  await page.page.exposeFunction("issue", (context) => asked.push(context) && gateway.token(place.tenantId));
  await page.page.goto(stranger.page(tag(place), HOST_SCRIPT));
  await until("the browser refuses the frame", () => page.problems().some((problem) => problem.includes("frame-ancestors")));
  assert.deepEqual(asked, []);
});

test("a token about to expire is replaced over the connection that stands", async (t) => {
  const place = newPlace();
  let expires;
  const { page, asked } = await openHost(t, tag(place), ({ reason }) => {
    // Counted from when it is asked for: how long the page takes to load is no matter.
    expires ??= now() + 9;
    return gateway.token(place.tenantId, reason === "initial" ? { exp: expires } : {});
  });
  const widget = page.frame("iframe");
  await widget.live();
  await until("the host is asked for a fresh one", () => asked.length === 2);
  assert.equal(asked[1].reason, "refresh");
  await watchStates(page);
  await until("the first token has expired", () => now() > expires + 1);
  await gateway.publish(place, "inbound_message", inbound("after", "Still here"));
  assert.equal(await widget.text("after"), "Still here");
  assert.deepEqual(await statesSince(page), [], "the connection has stood all the time");
  assert.equal(asked.length, 2);
  assert.deepEqual(page.problems(), []);
});

test("a token that has expired for good stops the widget, which resumes without a gap or a repeat once there is a new one", async (t) => {
  const place = newPlace();
  let signedIn = false;
  const { page } = await openHost(t, tag(place), ({ reason }) => {
    if (reason === "initial") return gateway.token(place.tenantId, { exp: now() + 9 });
    if (!signedIn) throw new Error("nobody is signed in");
    return gateway.token(place.tenantId);
  });
  const widget = page.frame("iframe");
  await widget.live();
  await gateway.publish(place, "inbound_message", inbound("before", "Before"));
  assert.equal(await widget.text("before"), "Before");
  const panel = await widget.sees("stopped", { reason: "token-expired" });
  await gateway.publish(place, "inbound_message", inbound("during", "During"));
  signedIn = true;
  await panel.getByRole("button").click();
  await widget.live();
  await gateway.publish(place, "inbound_message", inbound("after", "After"));
  assert.equal(await widget.text("after"), "After");
  assert.deepEqual(await widget.messageIds(), ["before", "during", "after"]);
  assert.equal(await widget.part("reset-notice").count(), 0);
});

/** A page of the host's with a widget's tags in it; `issue` answers its tokens, and `asked` what it was asked with. */
async function openHost(t, body, issue, script = HOST_SCRIPT, prepare = async () => {}) {
  const asked = [];
  const page = await browser.open(t, "about:blank");
  await page.page.exposeFunction("issue", (context) => {
    asked.push(context);
    return issue(context);
  });
  await prepare(page.page);
  await page.page.goto(host.page(body, script));
  return { page, asked };
}

function tag({ tenantId, conversationId }, more = {}) {
  const data = Object.entries({ "tenant-id": tenantId, "conversation-id": conversationId, ...more });
  return `<script src="${gateway.url}/embed.js" ${data.map(([name, value]) => `data-${name}="${value}"`).join(" ")}></script>`;
}

function heardTypes(page) {
  return page.page.evaluate(() => window.heard.map(({ data }) => data.type));
}

/** Remembers each state that the widget's header shows from now on. */
async function watchStates(page) {
  const frame = page.page.frames()[1];
  await frame.evaluate(() => {
    const state = document.querySelector('[data-testid="state"]');
    window.states = [];
    new MutationObserver(() => window.states.push(state.dataset.state)).observe(state, { attributeFilter: ["data-state"] });
  });
}

function statesSince(page) {
  return page.page.frames()[1].evaluate(() => window.states);
}
