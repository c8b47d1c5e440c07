import { execFileSync } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");
const TYPES = join(ROOT, "dist/client.d.ts");

/** The code of the README's blocks of a language. */
function blocks(language) {
  const readme = readFileSync(join(ROOT, "README.md"), "utf8");
  return [...readme.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, "gms"))].map(([, code]) => code ?? "");
}

it("has examples that the client module's types allow", () => {
  if (!existsSync(TYPES)) throw new Error("there is no dist/client.d.ts: npm run build");
  // Inside the project, where the checker finds React's types.
  const project = join(ROOT, "node_modules/.readme");
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project, { recursive: true });
  copyFileSync(TYPES, join(project, "client.d.ts"));
  const scripts = blocks("html").flatMap((html) =>
    [...html.matchAll(/<script type="module">(.*?)<\/script>/gs)].map(([, code]) => code ?? ""),
  );
  const hooks = blocks("tsx");
  expect([scripts.length, hooks.length]).toEqual([1, 1]);
  scripts.forEach((code, index) => writeFileSync(join(project, `script${index}.js`), code));
  hooks.forEach((code, index) => writeFileSync(join(project, `hook${index}.tsx`), code));
  writeFileSync(
    join(project, "tsconfig.json"),
    JSON.stringify({
      compilerOptions: {
        target: "ES2022",
        module: "ESNext",
        moduleResolution: "bundler",
        lib: ["ES2023", "DOM", "DOM.Iterable"],
        types: [],
        jsx: "react-jsx",
        strict: true,
        exactOptionalPropertyTypes: true,
        allowJs: true,
        checkJs: true,
        noEmit: true,
        skipLibCheck: false,
        paths: { "https://gateway.example.com/client.js": ["./client.d.ts"] },
      },
      include: ["*.js", "*.tsx", "client.d.ts"],
    }),
  );
  expect(check(project)).toBe("");
  // And only such: this is no word of the module's.
  writeFileSync(join(project, "script0.js"), scripts[0].replace("conversation.connect()", "conversation.conect()"));
  expect(check(project)).toContain("conect");
}, 300_000);

/** What the compiler has to say about a project. */
function check(project) {
  try {
    return execFileSync(process.execPath, [join(ROOT, "node_modules/@typescript/native/bin/tsc"), "-p", project], {
      encoding: "utf8",
    });
  } catch (error) {
    return String(error.stdout || error);
  }
}
