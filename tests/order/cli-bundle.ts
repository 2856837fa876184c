/**
 * Runs once before the tests: bundles the CLI into one file, which starts three times as fast as its sources do. Hundreds of tests start
 * it as a process.
 */
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { build, type Plugin } from "esbuild";
import type { TestProject } from "vitest/node";
import { CLI_BUNDLE } from "../../release/cli-bundle.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const BUNDLES = join(ROOT, ".audit-forwarder", "cli");

declare module "vitest" {
  interface ProvidedContext {
    /** The file to run with Node in place of cli/main.ts. */
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

/** Vitest calls it. The name of the file tells its content, so that Node's compile cache keeps the compiled code between runs. */
export default async function setup(project: TestProject): Promise<void> {
  const { outputFiles } = await build({
    ...CLI_BUNDLE,
    entryPoints: [join(ROOT, "cli/main.ts")],
    write: false,
    plugins: [keepsItsPlace],
  });
  const code = outputFiles[0]?.contents ?? new Uint8Array();
  const name = `${createHash("sha256").update(code).digest("hex").slice(0, 16)}.mjs`;
  await mkdir(BUNDLES, { recursive: true });
  const file = join(BUNDLES, name);
  await writeFile(file, code);
  for (const other of await readdir(BUNDLES)) if (other !== name) await rm(join(BUNDLES, other), { force: true });
  project.provide("cliFile", file);
}
