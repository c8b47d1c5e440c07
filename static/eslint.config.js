import js from "@eslint/js";
import a11y from "eslint-plugin-jsx-a11y";
import hooks from "eslint-plugin-react-hooks";
import { defineConfig, globalIgnores } from "eslint/config";
import globals from "globals";
import ts from "typescript-eslint";

export default defineConfig(
  globalIgnores(["dist/", "npm/dist/"]),
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.js"],
    extends: [js.configs.recommended],
    languageOptions: { globals: globals.node },
  },
  {
    files: ["**/*.{ts,tsx}"],
    extends: [js.configs.recommended, ts.configs.recommendedTypeChecked, a11y.flatConfigs.strict],
    plugins: { "react-hooks": hooks },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // Preact's hooks have the rules of React's; what React's compiler wants beyond them is React's alone.
      "react-hooks/rules-of-hooks": "error",
      "react-hooks/exhaustive-deps": "error",
      // The compiler tells both, and knows that `??=` is a use.
      "no-undef": "off",
      "no-unused-private-class-members": "off",
      // What is left out of an object has a name that begins so.
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_", varsIgnorePattern: "^_" }],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      // A customer's recording comes as it is.
      "jsx-a11y/media-has-caption": "off",
      // What scrolls has to be reached by the keyboard.
      "jsx-a11y/no-noninteractive-tabindex": ["error", { roles: ["log", "region", "tabpanel"], tags: ["section"] }],
    },
  },
  {
    files: ["src/react/**"],
    extends: [hooks.configs.flat["recommended-latest"]],
  },
  {
    files: ["test/**"],
    rules: {
      // A stand-in answers what the real one promises.
      "@typescript-eslint/require-await": "off",
    },
  },
);
