import { dts } from "rollup-plugin-dts";

// The npm package's types.
export default {
  input: { index: "src/client/index.ts", react: "src/react/index.ts" },
  output: { dir: "npm/dist", format: "es", chunkFileNames: "client.d.ts" },
  external: ["react"],
  plugins: [dts()],
};
