import { dts } from "rollup-plugin-dts";

// The client module's types in one file beside it, dist/client.d.ts, which TypeScript finds by its name.
export default {
  input: "src/client/index.ts",
  output: { file: "dist/client.d.ts", format: "es" },
  plugins: [dts()],
};
