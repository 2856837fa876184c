/**
 * Runs once before the tests: bundles the CLI into one file, which loads three times as fast as its sources do. Hundreds of tests run
 * it, as a process or in their own.
 */
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import type { TestProject } from "vitest/node";
import { CLI_BUNDLE } from "../../release/cli-bundle.ts";
import { writeBuiltFile } from "./built-file.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

const ENTRY = `
  export { runProgram } from "./program.ts";
  if (import.meta.main) void import("./main.ts");`;

declare module "vitest" {
  interface ProvidedContext {
    /** Run with Node, it is cli/main.ts; imported, it is cli/program.ts. */
    cliFile: string;
  }
}

/** A module finds the files beside it as if it had not been bundled. */
const keepsItsPlace: Plugin = {
  name: "keeps its place",
  setup(setup) {
    setup.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      if (relative(ROOT, path).startsWith("node_modules")) return undefined;
      const text = await readFile(path, "utf8");
      return { loader: "ts", contents: text.replaceAll("import.meta.url", JSON.stringify(pathToFileURL(path).href)) };
    });
  },
};

/** Vitest calls it. */
export default async function setup(project: TestProject): Promise<void> {
  const { outputFiles } = await build({
    ...CLI_BUNDLE,
    stdin: { contents: ENTRY, resolveDir: join(ROOT, "cli"), loader: "ts" },
    write: false,
    plugins: [keepsItsPlace],
  });
  project.provide("cliFile", await writeBuiltFile("cli", outputFiles[0]?.contents ?? new Uint8Array()));
}
