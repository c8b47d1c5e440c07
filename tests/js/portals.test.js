/** The widget in portals of all kinds: how they include `/embed.js`, and what they have isolated or locked in. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { HostPage } from "./harness/HostPage.js";
import { MediaServer } from "./harness/MediaServer.js";
import { inbound, newPlace } from "./harness/place.js";
import { stage } from "./harness/stage.js";
import { until } from "./harness/until.js";

/** A host that has its tokens from the test. */
const HOST_SCRIPT = "window.AgentGateway = { getToken: (context) => window.issue(context) };";

const { gateway, browser, host, media } = await stage({
  servers: { host: HostPage, media: MediaServer },
  variables: ({ host }) => ({ ALLOWED_ORIGINS: host.origin }),
});
host.embeds(gateway);

const content = Buffer.from(await (await fetch(`${gateway.url}/embed.js`)).arrayBuffer());
const integrity = `integrity="sha384-${createHash("sha384").update(content).digest("base64")}"`;

/** What a host may write into the tag. */
const TAGS = {
  "a classic script": "",
  "a classic script that is deferred": "defer",
  "a classic script that does not wait": "async",
  "a script with crossorigin": "crossorigin",
  "a script with crossorigin and credentials": 'crossorigin="use-credentials"',
  "a script with its hash": `crossorigin ${integrity}`,
  "a module": 'type="module"',
  "a module that does not wait": 'type="module" async',
  "a module with its hash": `type="module" crossorigin ${integrity}`,
};

/** What a host's page may have as its policies. */
const PORTALS = {
  "a portal": {},
  "a portal with require-corp": { "cross-origin-embedder-policy": "require-corp" },
  "a portal with credentialless": { "cross-origin-embedder-policy": "credentialless" },
};

for (const [portal, headers] of Object.entries(PORTALS)) {
  test(`${portal} includes the widget by every kind of tag`, async (t) => {
    const places = Object.keys(TAGS).map(() => newPlace());
    // Each widget stands where its tag does.
    const body = Object.values(TAGS).map((attributes, index) => `<div id="w${index}">${tag(places[index], attributes)}</div>`);
    const page = await openHost(t, body.join(""), headers);
    for (const [index, kind] of Object.keys(TAGS).entries()) {
      const widget = page.frame(`#w${index} > iframe`);
      await widget.live();
      await gateway.publish(places[index], "inbound_message", inbound("hello", kind));
      assert.equal(await widget.text("hello"), kind);
    }
    assert.equal(await page.page.locator("iframe").count(), places.length);
    assert.deepEqual(page.problems(), []);
  });

  // Those hosts say nothing of who may load what they have.
  test(`in ${portal} the widget shows pictures of other hosts`, async (t) => {
    const place = newPlace();
    const page = await openHost(t, tag(place), headers);
    const widget = page.frame("iframe");
    await widget.live();
    const mediaUrl = media.drawing("lamp", 40, 40);
    await gateway.publish(place, "inbound_message", { messageId: "picture", mediaUrl, mediaType: "image/svg+xml" });
    const image = widget.message("picture").locator("img");
    await until("the picture is loaded", () => image.evaluate(({ complete, naturalWidth }) => complete && naturalWidth > 0));
    await gateway.publish(place, "inbound_message", { messageId: "voice", mediaUrl: media.voice, mediaType: "audio/wav" });
    const audio = widget.message("voice").locator("audio");
    await until("the voice message is loaded", () => audio.evaluate(({ duration }) => duration > 1));
    assert.deepEqual(page.problems(), []);
  });
}

test("an isolated portal stays isolated", async (t) => {
  const place = newPlace();
  const page = await openHost(t, tag(place), { "cross-origin-embedder-policy": "require-corp", "cross-origin-opener-policy": "same-origin" });
  await page.frame("iframe").live();
  assert.equal(await page.page.evaluate(() => crossOriginIsolated), true);
  assert.deepEqual(page.problems(), []);
});

test("a script with another hash is not run", async (t) => {
  const other = `integrity="sha384-${createHash("sha384").update("other").digest("base64")}"`;
  const page = await openHost(t, tag(newPlace(), `crossorigin ${other}`));
  await until("the browser refuses the script", () => page.problems().some((problem) => problem.includes("integrity")));
  assert.equal(await page.page.locator("iframe").count(), 0);
});

test("one module serves all of its tags, also those that come later, and brings mount", async (t) => {
  const [first, second, third] = [newPlace(), newPlace(), newPlace()];
  const module = 'type="module"';
  const page = await openHost(t, `<div id="a">${tag(first, module)}</div><div id="b">${tag(second, module)}</div><div id="c"></div>`);
  await page.frame("#a > iframe").live();
  await page.frame("#b > iframe").live();
  await page.page.evaluate(
    ([src, place]) => {
      const script = document.createElement("script");
      Object.assign(script, { type: "module", src });
      Object.assign(script.dataset, place);
      document.querySelector("#c").append(script);
    },
    [`${gateway.url}/embed.js`, third],
  );
  await page.frame("#c > iframe").live();
  assert.equal(await page.page.locator("iframe").count(), 3);
  const fourth = newPlace();
  await page.page.evaluate((place) => window.AgentGateway.mount(document.body, place), fourth);
  // It is out of sight, where frames are drawn late.
  await page.frame("body > iframe").live();
  assert.deepEqual(page.problems(), []);
});

test("a module's tag without a conversation brings mount for the modules after it", async (t) => {
  const place = newPlace();
  const after = host.other("/after.js", `window.AgentGateway.mount(document.querySelector("#here"), ${JSON.stringify(place)});`, {
    "content-type": "text/javascript",
  });
  const body = `<div id="here"></div><script type="module" src="${gateway.url}/embed.js"></script><script type="module" src="${after}"></script>`;
  const page = await openHost(t, body);
  await page.frame("#here > iframe").live();
  assert.equal(await page.page.locator("iframe").count(), 1);
  assert.deepEqual(page.problems(), []);
});

test("another vendor's modules are left alone", async (t) => {
  const place = newPlace();
  for (const path of ["/vendor/embed.js", "/vendor/tracking.js"]) host.other(path, "", { "content-type": "text/javascript" });
  const body = `${tag(place, 'type="module"')}<script type="module" src="/vendor/embed.js"></script>
    <script type="module" src="/vendor/tracking.js" data-tenant-id="x"></script>`;
  const page = await openHost(t, body);
  await page.frame("iframe").live();
  await page.page.waitForLoadState("load");
  assert.equal(await page.page.locator("iframe").count(), 1);
  await page.page.evaluate((place) => window.AgentGateway.mount(document.body, place), newPlace());
  assert.equal(await page.page.locator("iframe").last().evaluate(({ src }) => new URL(src).origin), gateway.url);
  assert.deepEqual(page.problems(), []);
});

test("a sandbox without allow-same-origin gets a message instead of a blank page", async (t) => {
  const page = await openSandbox(t, newPlace(), 'sandbox="allow-scripts"');
  const widget = page.frame("iframe");
  const panel = await widget.sees("stopped", { reason: "sandboxed" });
  assert.match(await panel.innerText(), /frame keeps this page from working[^]*Tell your administrator/);
  assert.equal(await panel.getByRole("button").count(), 0, "trying again could change nothing");
  assert.deepEqual(page.problems(), []);
});

test("in a sandbox as the message has it the widget is live, and links open", async (t) => {
  const place = newPlace();
  const blocked = await openSandbox(t, place, 'sandbox="allow-scripts"');
  const sandbox = await (await blocked.frame("iframe").sees("setting")).innerText();
  const page = await openSandbox(t, place, sandbox, `#token=${gateway.token(place.tenantId)}`);
  const widget = page.frame("iframe");
  await widget.live();
  const link = media.drawing("linked", 10, 10);
  await gateway.publish(place, "inbound_message", inbound("hello", `Look: ${link}`));
  const opened = page.page.waitForEvent("popup");
  await widget.message("hello").locator("a").click();
  await (await opened).waitForURL(link);
});

/** A page of the host's with a tag or more in it. */
async function openHost(t, body, headers) {
  const page = await browser.open(t, "about:blank");
  await page.page.exposeFunction("issue", ({ tenantId }) => gateway.token(tenantId));
  await page.page.goto(host.page(body, HOST_SCRIPT, { ...headers }));
  return page;
}

/** A page that frames the widget by itself. */
async function openSandbox(t, place, sandbox, fragment = "") {
  const source = `${gateway.url}/widget?${new URLSearchParams(place)}${fragment}`;
  const frame = `<iframe style="width: 100%; height: 600px" ${sandbox} src="${source.replaceAll("&", "&amp;")}"></iframe>`;
  return browser.open(t, host.other("/frame", `<!doctype html><link rel="icon" href="data:,">${frame}`));
}

function tag({ tenantId, conversationId }, attributes = "") {
  return `<script src="${gateway.url}/embed.js" ${attributes} data-tenant-id="${tenantId}" data-conversation-id="${conversationId}"></script>`;
}
