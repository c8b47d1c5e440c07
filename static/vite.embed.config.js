import { defineConfig } from "vite";
import { version } from "./scripts/version.js";

// The host's script: one classic file with a fixed name, which leaves no name of its own in the host's page.
export default defineConfig({
  publicDir: false,
  define: { __VERSION__: JSON.stringify(version) },
  build: {
    target: "es2022",
    emptyOutDir: false,
    sourcemap: true,
    rolldownOptions: {
      input: "src/embed/embed.ts",
      output: { format: "iife", entryFileNames: "embed.js" },
    },
  },
});
