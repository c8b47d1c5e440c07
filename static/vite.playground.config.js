import { defineConfig } from "vite";
import { version } from "./scripts/version.js";

// The playground is a page of `agent-gateway dev` alone. It is built apart from the widget, so that they share no
// chunk and what it weighs is not the widget's, and into a folder of its own, where `serve` finds nothing of it.
export default defineConfig({
  base: "/playground/",
  publicDir: false,
  define: { __VERSION__: JSON.stringify(version) },
  build: {
    target: "es2022",
    outDir: "dist/playground",
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    rolldownOptions: {
      input: "playground.html",
      output: {
        assetFileNames: ({ names }) => (isMedia(names[0]) ? "media/[name][extname]" : "assets/[name]-[hash][extname]"),
      },
    },
  },
});

/** What is sent in messages, where its name can be read. */
function isMedia(name) {
  return /\.(?:ogg|webm|pdf)$|^lamp\.svg$/.test(name);
}
