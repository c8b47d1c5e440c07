/** The examples of static/README.md, as a developer would have them: in a browser, against a gateway and a portal. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { after, test } from "node:test";
import { build } from "../../static/node_modules/vite/dist/node/index.js";
import { examples } from "../../static/test/readme.js";
import { HistoryServer, past } from "./harness/HistoryServer.js";
import { HostPage } from "./harness/HostPage.js";
import { inbound, newPlace } from "./harness/place.js";
import { stage } from "./harness/stage.js";
import { until } from "./harness/until.js";

const STATIC = resolve(import.meta.dirname, "../../static");

const { gateway, browser, host, history } = await stage({
  servers: { host: HostPage, history: HistoryServer },
  variables: ({ host }) => ({ ALLOWED_ORIGINS: host.origin }),
});

/** The directives that the README names, and what the examples' own scripts and requests need. */
const POLICIES = {
  widget: `default-src 'none'; script-src 'unsafe-inline' ${gateway.url}; frame-src ${gateway.url}; connect-src 'self'`,
  client: `default-src 'none'; script-src 'self' 'unsafe-inline' ${gateway.url}; connect-src 'self' ${gateway.url} ${gateway.url.replace("http", "ws")} ${history.origin}`,
};

test("the widget in a portal", async (t) => {
  const place = newPlace();
  const page = await open(t, place, examples.portal, POLICIES.widget);
  await gateway.publish(place, "inbound_message", inbound("hello", "Hello"));
  const widget = page.frame("iframe");
  await widget.live();
  assert.equal(await widget.text("hello"), "Hello");
  assert.deepEqual(page.problems(), []);
});

test("widgets that come and go", async (t) => {
  const place = newPlace();
  history.add(place, ...past(2));
  const answer = JSON.stringify(history.page(place.conversationId, { limit: 50 }));
  host.other(`/api/messages?conversationId=${place.conversationId}&limit=50`, answer, { "content-type": "application/json" });
  // Without its types it is a script.
  const script = examples.mount.replaceAll("!", "").replace("window.addEventListener", "window.widget = widget; $&");
  const body = `<div id="conversation" style="height: 400px"></div><script src="${gateway.url}/embed.js"></script><script>${script}</script>`;
  const page = await open(t, place, body, POLICIES.widget);
  // Without its header it does not say that it is live.
  const widget = page.frame("#conversation > iframe");
  await widget.text("old-1");
  const iframe = page.page.locator("iframe");
  await until("its title is the new one", async () => (await iframe.getAttribute("title")) === "Sam T.");
  await widget.root.locator("html[data-theme=light]").waitFor();
  await page.page.evaluate(() => window.widget.unmount());
  assert.equal(await iframe.count(), 0);
  assert.deepEqual(page.problems(), []);
});

test("another front end on the client module", async (t) => {
  const place = newPlace();
  history.add(place, ...past(60));
  const page = await open(t, place, examples.page, POLICIES.client);
  await shows(page, "#state", "Live");
  await gateway.publish(place, "inbound_message", inbound("hello", "Hello"));
  await gateway.publish(place, "inbound_message", { messageId: "r1", type: "reaction", target: "hello", emoji: "👍", from: "447700900123" });
  await shows(page, "#messages", "← Hello 👍");
  await until("a page of what was before it", async () => (await page.page.locator("li").count()) === 51);
  await page.page.getByRole("button", { name: "Older messages" }).click();
  await until("the older messages", async () => (await page.page.locator("li").count()) === 61);
  await shows(page, "#messages", "← old 1");
  await page.page.getByRole("button").waitFor({ state: "hidden" });
  assert.deepEqual(page.problems(), []);
});

test("the npm package with its React hook, in a strict component", async (t) => {
  const place = newPlace();
  history.add(place, ...past(60));
  history.describe(place, { customer: "Sam Taylor" });
  host.other("/thread.js", await bundle(place), { "content-type": "text/javascript" });
  const page = await open(t, place, '<div id="root"></div><script src="/thread.js"></script>', POLICIES.client);
  await shows(page, "[role=status]", "live");
  await gateway.publish(place, "inbound_message", inbound("hello", "Hello"));
  await shows(page, "ul", "← Hello");
  await page.page.getByRole("region", { name: "Sam Taylor" }).waitFor();
  await until("a page of what was before it", async () => (await page.page.locator("li").count()) === 51);
  await page.page.getByRole("button", { name: "Older messages" }).click();
  await until("the older messages", async () => (await page.page.locator("li").count()) === 61);
  await shows(page, "ul", "← old 1");
  await until("one connection, whatever StrictMode does", async () => {
    const answer = await fetch(`${gateway.url}/internal/conversations/${place.tenantId}/${place.conversationId}`, {
      headers: { "x-internal-api-key": gateway.apiKey },
    });
    return (await answer.json()).members.length === 1;
  });
  // Another conversation in the same component.
  const other = newPlace();
  history.add(other, ...past(1, { prefix: "other" }));
  await page.page.evaluate((conversationId) => window.show(conversationId), other.conversationId);
  await shows(page, "ul", "← other 1");
  assert.equal(await page.page.locator("li").count(), 1);
  assert.deepEqual(page.problems(), []);
});

/** Opens an example in a portal's page, with what it names replaced by what there is here. */
async function open(t, place, example, policy) {
  host.other("/api/gateway-token", gateway.token(place.tenantId), { "content-type": "text/plain" });
  const html = replaced(example, place);
  const address = host.other("/example", `<!doctype html><link rel="icon" href="data:,">${html}`, {
    "content-security-policy": `${policy}; style-src 'unsafe-inline'; img-src data:`,
  });
  return browser.open(t, address);
}

function replaced(example, { tenantId, conversationId }) {
  return example
    .replaceAll("https://gateway.example.com", gateway.url)
    .replaceAll("https://portal.example.com/api/messages?conversation={conversationId}", history.template.replace("{tenantId}", tenantId))
    .replaceAll('"acme"', `"${tenantId}"`)
    .replaceAll('"5511987654321"', `"${conversationId}"`);
}

/** Waits until an element has these words and no others, or one that is in it. */
async function shows(page, selector, words) {
  const element = page.page.locator(selector);
  await until(words, () => element.evaluate((node, words) => [node, ...node.children].some(({ textContent }) => textContent.trim() === words), words));
}

/** A project that has installed the package, as `npm pack` makes it, and the README's component. */
async function bundle({ tenantId, conversationId }) {
  const project = mkdtempSync(join(tmpdir(), "agent-gateway-"));
  after(() => rmSync(project, { recursive: true, force: true }));
  execFileSync("npm", ["run", "--silent", "package"], { cwd: STATIC });
  const [{ filename, files }] = JSON.parse(execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", project], { cwd: join(STATIC, "npm") }));
  const packed = files.map(({ path }) => path);
  for (const path of ["LICENSE-APACHE", "LICENSE-MIT", "README.md", "dist/client.js", "dist/client.js.map"]) assert.ok(packed.includes(path), path);
  const modules = join(project, "node_modules");
  const installed = join(modules, "@agent-gateway/client");
  mkdirSync(installed, { recursive: true });
  execFileSync("tar", ["-xzf", join(project, filename), "--strip-components=1", "-C", installed]);
  for (const name of ["react", "react-dom", "socket.io-client"]) symlinkSync(join(STATIC, "node_modules", name), join(modules, name));
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions: { jsx: "react-jsx" } }));
  writeFileSync(join(project, "thread.tsx"), replaced(examples.thread, { tenantId, conversationId }));
  writeFileSync(
    join(project, "main.tsx"),
    `import { StrictMode } from "react";
    import { createRoot } from "react-dom/client";
    import { Thread } from "./thread";
    const root = createRoot(document.getElementById("root")!);
    const show = (conversationId: string) => root.render(
      <StrictMode><Thread url="${gateway.url}" tenantId="${tenantId}" conversationId={conversationId} /></StrictMode>
    );
    Object.assign(window, { show });
    show("${conversationId}");`,
  );
  await build({
    root: project,
    configFile: false,
    logLevel: "error",
    define: { "process.env.NODE_ENV": '"development"' },
    build: { lib: { entry: "main.tsx", formats: ["iife"], name: "thread", fileName: () => "thread.js" } },
  });
  return readFileSync(join(project, "dist/thread.js"), "utf8");
}
