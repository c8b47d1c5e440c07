import { defineConfig } from "vite";
import { version } from "./scripts/version.js";

// The npm package: the client module and its React hook, with what they stand on left to the project that uses them.
export default defineConfig({
  publicDir: false,
  define: { __VERSION__: JSON.stringify(version) },
  build: {
    target: "es2022",
    outDir: "npm/dist",
    sourcemap: true,
    minify: false,
    lib: { entry: { index: "src/client/index.ts", react: "src/react/index.ts" }, formats: ["es"] },
    rolldownOptions: {
      external: ["react", "socket.io-client"],
      output: { chunkFileNames: "client.js" },
    },
  },
});
