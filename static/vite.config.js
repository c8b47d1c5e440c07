import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { defineConfig } from "vite";
import { version } from "./scripts/version.js";

/** All JavaScript that the widget page loads, gzipped: what an agent on a slow line waits for. */
const BUDGET_BYTES = 42_000;

/** The browsers that the page names as those it needs: see widget.html and static/README.md. */
const BROWSERS = ["chrome123", "edge123", "firefox125", "safari18"];

/**
 * Prints what the page weighs, and fails the build when it is over the budget. What is loaded when it is asked for,
 * other languages and what opens over the page, comes on top.
 */
function budget() {
  return {
    name: "budget",
    writeBundle(_options, bundle) {
      const weigh = (name) => gzipSync(bundle[name].code, { level: 9 }).length;
      const first = new Set();
      const load = (name) => {
        if (first.has(name) || bundle[name]?.type !== "chunk") return;
        first.add(name);
        bundle[name].imports.forEach(load);
      };
      for (const [name, file] of Object.entries(bundle)) if (file.isEntry) load(name);
      const total = [...first].reduce((sum, name) => sum + weigh(name), 0);
      const later = Object.keys(bundle).filter((name) => bundle[name].type === "chunk" && !first.has(name));
      const asked = later.map((name) => `${bundle[name].name} ${weigh(name)}`).join(", ");
      const verdict = `widget JavaScript: ${total} of ${BUDGET_BYTES} bytes gzipped; when asked for: ${asked}`;
      if (total > BUDGET_BYTES) this.error(verdict);
      console.log(verdict);
    },
  };
}

/**
 * Puts the icon into the page, and leaves the page's comments out. As a file the icon would be asked for while the
 * connection begins, and hold that up on a slow line.
 */
function shorten() {
  const address = (svg) => `data:image/svg+xml,${encodeURIComponent(svg.trim().replaceAll('"', "'"))}`;
  const transform = (html) =>
    html
      .replace("/src/widget/icon.svg", () => address(readFileSync("src/widget/icon.svg", "utf8")))
      .replace(/ *<!--.*?-->\n/gs, "");
  return { name: "shorten", transformIndexHtml: { order: "pre", handler: transform } };
}

/** What the page has no use for, by the end of its name, and what stands in for it. */
const UNUSED = new Map([
  // No gateway offers it, and the library names it in one list with the two transports that it does.
  ["/engine.io-client/build/esm/transports/webtransport.js", "export class WT {}"],
  // Where it connects to is an address as a browser has it.
  [
    "/engine.io-client/build/esm/contrib/parseuri.js",
    `export const parse = (source) => {
      const { protocol, hostname, port, pathname, search } = new URL(source);
      const host = hostname.replace(/^\\[|\\]$/g, "");
      return { source, protocol: protocol.slice(0, -1), host, port, path: pathname, query: search.slice(1) };
    };`,
  ],
  // All that a gateway sends and takes is JSON.
  ["/socket.io-parser/build/esm/is-binary.js", "export const isBinary = () => false, hasBinary = isBinary;"],
  [
    "/engine.io-parser/build/esm/encodePacket.browser.js",
    `import { PACKET_TYPES } from "./commons.js";
    export const encodePacket = ({ type, data }, _binary, take) => take(PACKET_TYPES[type] + (data || ""));
    export const encodePacketToBinary = () => {};`,
  ],
  [
    "/engine.io-parser/build/esm/decodePacket.browser.js",
    `import { ERROR_PACKET, PACKET_TYPES_REVERSE } from "./commons.js";
    export const decodePacket = (packet) => {
      const type = PACKET_TYPES_REVERSE[packet[0]];
      return type ? { type, data: packet.slice(1) || undefined } : ERROR_PACKET;
    };`,
  ],
  ["/socket.io-parser/build/esm/binary.js", "export const deconstructPacket = () => {}, reconstructPacket = () => {};"],
  // The client module has a schedule of its own for trying again.
  ["/socket.io-client/build/esm/contrib/backo2.js", "export class Backoff { reset() {} }"],
  // What is loaded when it is asked for has no style sheets and no modules of its own to load beside it.
  ["vite/preload-helper.js", "export const __vitePreload = (load) => load();"],
]);

function without(unused) {
  const standIn = (id) => [...unused].find(([end]) => id.endsWith(end))?.[1];
  return { name: "without", enforce: "pre", load: standIn };
}

export default defineConfig({
  // The page may be below a path prefix, so what it loads is relative to it.
  base: "./",
  publicDir: false,
  define: { __VERSION__: JSON.stringify(version) },
  plugins: [without(UNUSED), shorten(), budget()],
  build: {
    target: BROWSERS,
    // The content security policy allows no inline script and no data: script.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: { input: "widget.html" },
  },
  // Time is fake in these tests, and a machine that is busy is no reason for them to fail.
  test: { include: ["test/**/*.test.{ts,tsx,js}"], testTimeout: 60_000, hookTimeout: 60_000 },
});
