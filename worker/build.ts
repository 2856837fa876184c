/** Builds the worker as one module: readable for the local stack, minified for the upload. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build, type BuildOptions, type Plugin } from "esbuild";

/** The runtime date that `wrangler.toml` names; the local stack, tests and benchmarks use it, too. */
export const RUNTIME = {
  compatibilityDate: "2026-07-01",
  compatibilityFlags: ["nodejs_compat", "nodejs_compat_do_not_populate_process_env"],
};

const DIST = new URL("../dist/worker/", import.meta.url);
const FILE = "index.js";
const MAP = `${FILE}.map`;

export interface UploadedWorker {
  readonly code: string;
  /** Source map, so that stack traces name source files and lines. */
  readonly map: string;
}

/** Builds the readable worker module. `options` go to esbuild, for another entry that imports the worker's. */
export async function bundleWorker(options: BuildOptions = {}): Promise<string> {
  return (await bundled(options)).code;
}

/** Builds the module for upload: minified, with a source map. `options` go to esbuild. */
export function uploadedWorker(options: BuildOptions = {}): Promise<UploadedWorker> {
  return bundled({ ...options, minify: true, sourcemap: "linked", outfile: FILE });
}

/** Leaves out the fields that only the docs and the command line read: esbuild cannot see that these calls of another module are pure. */
const withoutUnusedFields: Plugin = {
  name: "without-unused-fields",
  setup: (plugins) => {
    plugins.onLoad({ filter: /[\\/]shared[\\/](?:api|replay-answers)\.ts$/ }, async ({ path: file }) => {
      const source = await readFile(file, "utf8");
      return { contents: source.replaceAll(/: (?=(?:required|optional)<)/g, ": /* @__PURE__ */ "), loader: "ts" };
    });
  },
};

async function bundled(options: BuildOptions): Promise<UploadedWorker> {
  const { outputFiles = [] } = await build({
    ...(options.stdin ? {} : { entryPoints: [path("./index.ts")] }),
    bundle: true,
    write: false,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
    alias: { "fast-sha256": path("./native/sha256.ts"), "@stablelib/base64": path("./native/base64.ts") },
    logLevel: "silent",
    define: buildNames(),
    ...options,
    plugins: [withoutUnusedFields, ...(options.plugins ?? [])],
  });
  const textOf = (ending: string) => outputFiles.find((file) => file.path.endsWith(ending))?.text ?? "";
  return { code: outputFiles.length > 1 ? textOf(".js") : (outputFiles[0]?.text ?? ""), map: textOf(".map") };
}

/** Reads the version from package.json and the commit from the clone. Two texts, because an object costs every module an import. */
function buildNames(): Record<string, string> {
  const { version } = JSON.parse(readFileSync(path("../package.json"), "utf8")) as { readonly version: string };
  return { AUDIT_VERSION: JSON.stringify(version), AUDIT_COMMIT: JSON.stringify(commitOf()) };
}

function commitOf(): string {
  try {
    const cwd = path("../");
    const stdio = ["ignore" as const, "pipe" as const, "ignore" as const];
    return execFileSync("git", ["rev-parse", "--short=7", "HEAD"], { cwd, stdio, encoding: "utf8" }).trim();
  } catch {
    return "unknown";
  }
}

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

/** Writes the upload to the file that `main` in wrangler.toml names. */
export async function writeUpload(): Promise<void> {
  const { code, map } = await uploadedWorker();
  await mkdir(DIST, { recursive: true });
  await writeWhole(FILE, code);
  await writeWhole(MAP, map);
}

/** Renames a finished file into place, because another deploy, such as a dry run, may read it at the same moment. */
async function writeWhole(name: string, text: string): Promise<void> {
  const part = new URL(`${name}.${process.pid}`, DIST);
  await writeFile(part, text);
  await rename(part, new URL(name, DIST));
}
