import { defineConfig } from "vite";

// The host's script: one classic file with a fixed name, which leaves no name of its own in the host's page.
export default defineConfig({
  publicDir: false,
  build: {
    target: "es2022",
    emptyOutDir: false,
    rolldownOptions: {
      input: "src/embed/embed.ts",
      output: { format: "iife", entryFileNames: "embed.js" },
    },
  },
});
