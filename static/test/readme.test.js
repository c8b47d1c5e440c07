import { execFileSync } from "node:child_process";
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import js from "@eslint/js";
import { ESLint } from "eslint";
import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import globals from "globals";
import ts from "typescript-eslint";
import { beforeAll, expect, it } from "vitest";
import { blocks, examples, scripts } from "./readme.js";

const ROOT = resolve(dirname(fileURLToPath(import.meta.url)), "..");

/** Inside the project, where the checker finds React's types. */
const PROJECT = join(ROOT, "node_modules/.readme");
const PACKAGE = join(PROJECT, "node_modules/@agent-gateway/client");

/** The examples by the name of the file that each is checked in. */
const FILES = {
  "page.js": scripts(examples.page, ' type="module"')[0],
  "portal.js": scripts(examples.portal, "")[0],
  "mount.ts": examples.mount,
  "thread.tsx": examples.thread,
  "start.ts": examples.start,
};

beforeAll(() => {
  if (!existsSync(join(ROOT, "dist/embed.d.ts"))) throw new Error("there is no dist/embed.d.ts: npm run build");
  execFileSync("npm", ["run", "--silent", "package"], { cwd: ROOT });
  rmSync(PROJECT, { recursive: true, force: true });
  mkdirSync(PACKAGE, { recursive: true });
  for (const name of ["package.json", "dist"])
    cpSync(join(ROOT, "npm", name), join(PACKAGE, name), { recursive: true });
  for (const name of ["client.d.ts", "embed.d.ts"]) copyFileSync(join(ROOT, "dist", name), join(PROJECT, name));
  const compilerOptions = {
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
  };
  const include = ["*.js", "*.ts", "*.tsx"];
  writeFileSync(join(PROJECT, "tsconfig.json"), JSON.stringify({ compilerOptions, include }));
});

it("has examples of every kind", () => {
  const counts = ["html", "ts", "tsx"].map((language) => blocks(language).length);
  expect(counts).toEqual([2, 1, 1]);
});

it("has examples that the types allow, and only such", () => {
  write(FILES);
  expect(check()).toBe("");
  for (const [name, right, wrong] of [
    ["page.js", "conversation.connect()", "conversation.conect()"],
    ["portal.js", "{ tenantId, conversationId }", "{ tenantID, conversationId }"],
    ["mount.ts", 'theme: "dark"', 'theme: "dim"'],
    ["start.ts", "message.direction", "message.sender"],
    ["thread.tsx", "conversation.loadOlder", "conversation.loadAll"],
  ]) {
    expect(FILES[name]).toContain(right);
    write({ ...FILES, [name]: FILES[name].replace(right, wrong) });
    expect(check(), name).toContain(`${name}(`);
  }
}, 300_000);

it("has examples that keep the rules of the language, of hooks and of accessibility", async () => {
  const eslint = new ESLint({
    cwd: ROOT,
    overrideConfigFile: true,
    overrideConfig: [
      js.configs.recommended,
      { languageOptions: { globals: globals.browser } },
      { files: ["**/*.{ts,tsx}"], languageOptions: { parser: ts.parser } },
      { ...a11y.flatConfigs.strict, files: ["**/*.tsx"] },
      { ...hooks.configs.flat["recommended-latest"], files: ["**/*.tsx"] },
    ],
  });
  const lint = async (name, code) => {
    const results = await eslint.lintText(code, { filePath: name });
    return results.flatMap(({ messages }) => messages.map(({ ruleId, message }) => ruleId ?? message));
  };
  for (const [name, code] of Object.entries(FILES)) {
    expect(await lint(name, code), name).toEqual([]);
  }
  const wrong = examples.thread.replace("  const conversation = useConversation", "  if (url) useId();\n$&");
  expect(await lint("thread.tsx", wrong)).toContain("react-hooks/rules-of-hooks");
});

it("has the program's version everywhere", () => {
  const { version } = JSON.parse(readFileSync(join(ROOT, "npm/package.json"), "utf8"));
  const [, cargo] = /^version = "(.*)"$/m.exec(readFileSync(join(ROOT, "../Cargo.toml"), "utf8")) ?? [];
  const own = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version;
  const told = JSON.parse(readFileSync(join(ROOT, "dist/client.json"), "utf8")).version;
  expect([version, own, told]).toEqual([cargo, cargo, cargo]);
  expect(readFileSync(join(PACKAGE, "dist/client.js"), "utf8")).toContain(`VERSION = "${version}"`);
});

function write(files) {
  for (const [name, code] of Object.entries(files)) writeFileSync(join(PROJECT, name), code);
}

/** What the compiler has to say about the project. */
function check() {
  try {
    const compiler = join(ROOT, "node_modules/@typescript/native/bin/tsc");
    return execFileSync(process.execPath, [compiler, "-p", PROJECT], { encoding: "utf8" });
  } catch (error) {
    return String(error.stdout || error);
  }
}
