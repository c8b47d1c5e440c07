/** Ends a build: says under which hash the scripts for other pages can be kept for ever, and compresses what is served. */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { version } from "./version.js";

const DIST = new URL("../dist/", import.meta.url).pathname;

/** What other pages load. */
const SCRIPTS = ["client.js", "embed.js"];
const SHARED = SCRIPTS.flatMap((name) => [name, `${name}.map`, name.replace(/\.js$/, ".d.ts")]);

/** Pictures, sound and the like are compressed already. */
const COMPRESSIBLE = /\.(?:js|css|html|svg|json|map|d\.ts)$/;

const contents = SHARED.map((name) => [name, readFileSync(join(DIST, name))]);
const hash = digest("sha256", Buffer.concat(contents.map(([, content]) => content)), "hex").slice(0, 16);
const files = Object.fromEntries(
  contents.map(([name, content]) => [
    name,
    { path: `v1/${hash}/${name}`, integrity: `sha384-${digest("sha384", content, "base64")}` },
  ]),
);
writeFileSync(join(DIST, "client.json"), `${JSON.stringify({ version, hash, files }, undefined, 2)}\n`);

for (const path of served("")) {
  const content = readFileSync(join(DIST, path));
  const quality = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: content.length };
  writeFileSync(join(DIST, `${path}.br`), brotliCompressSync(content, { params: quality }));
  writeFileSync(join(DIST, `${path}.gz`), gzipSync(content, { level: 9 }));
}

function digest(algorithm, content, encoding) {
  return createHash(algorithm).update(content).digest(encoding);
}

/** The files of a folder that are worth compressing. The playground is served to this machine only. */
function served(folder) {
  return readdirSync(join(DIST, folder)).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(join(DIST, path)).isDirectory()) return path === "playground" ? [] : served(path);
    return COMPRESSIBLE.test(name) ? [path] : [];
  });
}
