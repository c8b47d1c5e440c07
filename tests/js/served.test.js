/** What a browser is served: how much of it, in which form, and for how long. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { get } from "node:http";
import { test } from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { HostPage } from "./harness/HostPage.js";
import { address, newPlace } from "./harness/place.js";
import { stage } from "./harness/stage.js";
import { until } from "./harness/until.js";

/** All JavaScript that the widget loads, in bytes as they are on the wire. */
const BUDGET = 42_000;

const { gateway, browser, host } = await stage({
  servers: { host: HostPage },
  variables: ({ host }) => ({ ALLOWED_ORIGINS: host.origin }),
});
host.embeds(gateway);

const DECODERS = { br: brotliDecompressSync, gzip: gunzipSync };
const IMMUTABLE = "public, max-age=31536000, immutable";

test("everything comes in the form that the browser takes, and says so", async () => {
  const page = (await ask("/widget")).body.toString();
  const assets = [...page.matchAll(/(?:src|href)="\.\/(assets\/[^"]+)"/g)].map(([, path]) => `/${path}`);
  assert.ok(assets.length >= 2, page);
  const { files } = JSON.parse((await ask("/client.json")).body);
  const paths = ["/widget", "/client.json", ...assets, ...Object.keys(files).map((name) => `/${name}`)];
  for (const path of paths) {
    const plain = await ask(path);
    assert.equal(plain.headers["content-encoding"], undefined, path);
    for (const [accept, encoding] of [
      ["gzip, deflate, br, zstd", "br"],
      ["gzip, deflate", "gzip"],
    ]) {
      const { body, headers } = await ask(path, accept);
      assert.equal(headers["content-encoding"], encoding, path);
      assert.match(headers.vary, /Accept-Encoding/, path);
      assert.equal(headers["content-type"], plain.headers["content-type"], path);
      assert.notEqual(headers.etag, plain.headers.etag, path);
      assert.deepEqual(DECODERS[encoding](body), plain.body, path);
      assert.equal((await ask(path, accept, headers.etag)).status, 304, path);
      assert.equal((await ask(path, accept, plain.headers.etag)).status, 200, path);
    }
  }
});

test("all JavaScript of the widget is within the budget, and what it loads is told by resource", async (t) => {
  const place = newPlace();
  const widget = await browser.open(t, "about:blank");
  const session = await widget.page.context().newCDPSession(widget.page);
  const [types, sizes] = [new Map(), new Map()];
  session.on("Network.responseReceived", ({ requestId, type, response }) => types.set(requestId, { type, url: response.url }));
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => sizes.set(requestId, encodedDataLength));
  await session.send("Network.enable");
  await widget.page.goto(address(gateway, place, gateway.token(place.tenantId)));
  await widget.live();
  const scripts = await until("the scripts have come", () => {
    const loaded = [...types].filter(([, { type }]) => type === "Script");
    return loaded.length > 0 && loaded.every(([id]) => sizes.has(id)) && loaded;
  });
  for (const [id, { type, url }] of types) t.diagnostic(`${type} ${new URL(url).pathname}: ${sizes.get(id)} bytes`);
  const total = scripts.reduce((sum, [id]) => sum + sizes.get(id), 0);
  assert.ok(total > 0 && total <= BUDGET, `${total} bytes`);
});

test("what other pages load has an address under which it never changes, with its hash and its types", async () => {
  const { version, hash, files } = JSON.parse((await ask("/client.json")).body);
  assert.match(version, /^\d+\.\d+\.\d+$/);
  assert.deepEqual(Object.keys(files), ["client.js", "client.js.map", "client.d.ts", "embed.js", "embed.js.map", "embed.d.ts"]);
  for (const [name, { path, integrity }] of Object.entries(files)) {
    const kept = await ask(`/${path}`);
    const current = await ask(`/${name}`);
    assert.deepEqual([kept.status, current.status], [200, 200], name);
    assert.deepEqual(kept.body, current.body, name);
    assert.equal(integrity, `sha384-${createHash("sha384").update(kept.body).digest("base64")}`, name);
    assert.deepEqual([kept.headers["cache-control"], current.headers["cache-control"]], [IMMUTABLE, "no-cache"], name);
    const shared = await fetch(`${gateway.url}/${path}`, { headers: { origin: host.origin } });
    assert.equal(shared.headers.get("access-control-allow-origin"), host.origin, name);
  }
  for (const path of [`/v1/${"0".repeat(16)}/client.js`, `/v1/${hash}/widget.html`, `/v1/${hash}/client.js.br`]) {
    const { status, headers } = await ask(path);
    assert.deepEqual([status, headers["cache-control"]], [404, "no-store"], path);
  }
  for (const name of ["client.js", "embed.js"]) {
    assert.match((await ask(`/${name}`)).body.toString(), new RegExp(`//# sourceMappingURL=${name}\\.map\\s*$`));
    const { sources, sourcesContent } = JSON.parse((await ask(`/${name}.map`)).body);
    assert.ok(sources.some((source) => source.includes("src/")), name);
    assert.equal(sources.length, sourcesContent.length);
  }
});

test("a script that is kept finds the widget", async (t) => {
  const place = newPlace();
  const { files } = JSON.parse((await ask("/client.json")).body);
  const { path, integrity } = files["embed.js"];
  const token = gateway.token(place.tenantId);
  const tag = `<script src="${gateway.url}/${path}" integrity="${integrity}" crossorigin data-tenant-id="${place.tenantId}" data-conversation-id="${place.conversationId}"></script>`;
  const page = await browser.open(t, host.page(tag, `window.AgentGateway = { getToken: () => ${JSON.stringify(token)} };`));
  await page.frame("iframe").live();
  assert.equal(await page.page.evaluate(() => window.AgentGateway.version), JSON.parse((await ask("/client.json")).body).version);
  assert.deepEqual(page.problems(), []);
});

/** Asks as bytes: `fetch` would undo the compression. */
async function ask(path, accept, known) {
  const headers = { ...(accept && { "accept-encoding": accept }), ...(known && { "if-none-match": known }) };
  const [response] = await once(get(`${gateway.url}${path}`, { headers }), "response");
  const chunks = await response.toArray();
  return { status: response.statusCode, headers: response.headers, body: Buffer.concat(chunks) };
}
