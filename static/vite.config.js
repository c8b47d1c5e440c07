import { gzipSync } from "node:zlib";
import { defineConfig } from "vite";
import { version } from "./scripts/version.js";

/** All JavaScript that the widget page loads, gzipped: what an agent on a slow line waits for. */
const BUDGET_BYTES = 42_000;

/** Prints what the page weighs, and fails the build when it is over the budget. What is loaded when asked for does not count. */
function budget() {
  return {
    name: "budget",
    writeBundle(_options, bundle) {
      const loaded = new Set();
      const load = (name) => {
        if (loaded.has(name) || bundle[name]?.type !== "chunk") return;
        loaded.add(name);
        bundle[name].imports.forEach(load);
      };
      for (const [name, file] of Object.entries(bundle)) if (file.isEntry) load(name);
      const sizes = [...loaded].map((name) => gzipSync(bundle[name].code, { level: 9 }).length);
      const total = sizes.reduce((sum, size) => sum + size, 0);
      const verdict = `widget JavaScript: ${total} of ${BUDGET_BYTES} bytes gzipped`;
      if (total > BUDGET_BYTES) this.error(verdict);
      console.log(verdict);
    },
  };
}

export default defineConfig({
  // The page may be below a path prefix, so what it loads is relative to it.
  base: "./",
  publicDir: false,
  define: { __VERSION__: JSON.stringify(version) },
  plugins: [budget()],
  build: {
    target: "es2022",
    // The content security policy allows no inline script and no data: script.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: { input: "widget.html" },
  },
  // Time is fake in these tests, and a machine that is busy is no reason for them to fail.
  test: { include: ["test/**/*.test.{ts,js}"], testTimeout: 60_000, hookTimeout: 60_000 },
});
