import { dts } from "rollup-plugin-dts";

// The types of the client module and of the host's script, each in one file beside it, which TypeScript finds by its name.
export default ["client", "embed"].map((name) => ({
  input: `src/${name}/${name === "client" ? "index" : "types"}.ts`,
  output: { file: `dist/${name}.d.ts`, format: "es" },
  plugins: [dts()],
}));
