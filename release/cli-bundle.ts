/** How esbuild makes one file of the CLI: for the package, and for the tests that start it. */
import type { BuildOptions } from "esbuild";

/** The oldest Node that runs the CLI. */
const TARGET = "node20";

/** A bundled CommonJS package may call `require`. Node 20 lacks `URL.parse`, which came with 22.1. */
const BANNER = `import { createRequire as createRequireOfBundle } from "node:module";
const require = createRequireOfBundle(import.meta.url);
URL.parse ??= (url, base) => (URL.canParse(url, base) ? new URL(url, base) : null);`;

/** Everything but the entry and where the output goes. */
export const CLI_BUNDLE = {
  bundle: true,
  platform: "node",
  format: "esm",
  target: TARGET,
  // "module" first: the CommonJS build of jsonc-parser hides its imports from bundlers.
  mainFields: ["module", "main"],
  external: ["esbuild", "miniflare", "wrangler"],
  banner: { js: BANNER },
  logLevel: "error",
} satisfies BuildOptions;
