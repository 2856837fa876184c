/** Builds what the package holds besides its launcher: the CLI, the stack of `dev`, the policy's module, the worker and a template. */
import { spawnSync } from "node:child_process";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type BuildOptions } from "esbuild";
import { consoleFiles } from "../console/build.ts";
import { policyText } from "../policy/build.ts";
import { CLI_BUNDLE } from "./cli-bundle.ts";
import { wranglerTemplate } from "./template.ts";
import { packagedWorker } from "./worker.ts";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
/** Where `npm pack` finds the built files. */
const PACKAGE = join(ROOT, "dist", "package");
/** Code that the CLI runs in a process of its own. */
const CODE = ["policy/inspection", "policy/preview", "policy/fingerprint", "worker/enrichment"];

/** Writes `dist/package/` anew; returns the version and commit in it. */
export async function buildPackage(): Promise<{ readonly version: string; readonly commit: string }> {
  const manifest = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string };
  const made = { version: manifest.version, commit: commitOf() };
  await rm(PACKAGE, { recursive: true, force: true });
  await Promise.all([
    bundle(
      { "audit-forwarder": "cli/main.ts", dev: "dev/project.ts" },
      { splitting: true, define: { AUDIT_PACKAGE: JSON.stringify(made) } },
    ),
    ...CODE.map((name) => bundle({ [name]: `${name}.ts` })),
    copy(join(ROOT, "dev/gateway/end-with-parent.mjs"), "end-with-parent.mjs"),
    policyText().then((text) => write("policy/audit-log.ts", text)),
    writeWorker(),
    writeSite(),
    readFile(join(ROOT, "wrangler.toml"), "utf8").then((toml) => write("wrangler.toml", wranglerTemplate(toml))),
    copy(join(ROOT, "docs/agents.md"), "agents.md"),
    copy(join(ROOT, "verifier/verify.mjs"), "verify.mjs"),
    copy(createRequire(import.meta.url).resolve("@workos/openapi-spec/spec"), "workos.yaml"),
  ]);
  return made;
}

async function writeWorker(): Promise<void> {
  const { code, map } = await packagedWorker();
  await Promise.all([write("upload/worker/index.js", code), write("upload/worker/index.js.map", map)]);
}

async function writeSite(): Promise<void> {
  const files = [...(await consoleFiles())];
  await Promise.all(files.map(([name, text]) => write(`upload/site/console/${name}`, text)));
}

/** Bundles each entry into a file of its name; with `splitting`, what they share becomes files of its own. */
async function bundle(entries: Readonly<Record<string, string>>, options: BuildOptions = {}): Promise<void> {
  await build({
    entryPoints: Object.fromEntries(Object.entries(entries).map(([name, file]) => [name, join(ROOT, file)])),
    outdir: PACKAGE,
    outExtension: { ".js": ".mjs" },
    ...CLI_BUNDLE,
    ...options,
  });
}

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(PACKAGE, path)), { recursive: true });
  await writeFile(join(PACKAGE, path), text);
}

async function copy(from: string, path: string): Promise<void> {
  await mkdir(dirname(join(PACKAGE, path)), { recursive: true });
  await cp(from, join(PACKAGE, path));
}

/** Returns "unknown" outside of a Git repository. */
function commitOf(): string {
  const { status, stdout } = spawnSync("git", ["rev-parse", "--short=7", "HEAD"], { cwd: ROOT, encoding: "utf8" });
  return status === 0 ? stdout.trim() : "unknown";
}
