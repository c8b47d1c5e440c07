import { defineConfig } from "vite";
import { version } from "./scripts/version.js";

// The client module for other front ends: one file with a fixed name and nothing to install beside it. It is
// built apart from the widget so that the widget's own files all carry a hash and can be cached for ever.
export default defineConfig({
  publicDir: false,
  define: { __VERSION__: JSON.stringify(version) },
  build: {
    target: "es2022",
    emptyOutDir: false,
    sourcemap: true,
    lib: { entry: "src/client/index.ts", formats: ["es"], fileName: () => "client.js" },
  },
});
