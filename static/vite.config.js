import { gzipSync } from "node:zlib";
import { defineConfig } from "vite";

/** All JavaScript that the widget page loads, gzipped: what an agent on a slow line waits for. */
const BUDGET_BYTES = 40_000;

/** Prints what the page weighs, and fails the build when it is over the budget. */
function budget() {
  return {
    name: "budget",
    writeBundle(_options, bundle) {
      const total = Object.values(bundle)
        .filter((file) => file.type === "chunk")
        .reduce((sum, chunk) => sum + gzipSync(chunk.code, { level: 9 }).length, 0);
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
