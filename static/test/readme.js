/** The README's examples, where they are checked and where they are run. */
import { readFileSync } from "node:fs";

const read = (path) => readFileSync(new URL(path, import.meta.url), "utf8");

/** The code of a README's blocks of a language. */
export function blocks(language, readme = read("../README.md")) {
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, code]) => code ?? "");
}

/** The code within the script tags of a page that have these attributes. */
export function scripts(html, attributes) {
  return [...html.matchAll(new RegExp(`<script${attributes}>(.*?)</script>`, "gs"))].map(([, code]) => code ?? "");
}

const [portal, page] = blocks("html");
const [mount] = blocks("ts");
const [thread] = blocks("tsx");
const [start] = blocks("ts", read("../npm/README.md"));

/** A portal's page with the widget; the client module in a page; widgets that come and go; the hook in a component; the package. */
export const examples = { portal, page, mount, thread, start };
