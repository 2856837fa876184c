/** The bundles that are compared, made as wrangler makes ours. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build, type BuildOptions } from "esbuild";

const OPTIONS: BuildOptions = {
  bundle: true,
  write: false,
  format: "esm",
  target: "es2024",
  conditions: ["workerd", "worker", "browser"],
  external: ["cloudflare:*", "node:*"],
  loader: { ".html": "text" },
  logLevel: "silent",
};

const OURS = path("../../worker/index.ts");

export function oursBundle(minify = false): Promise<string> {
  return bundle({ ...OPTIONS, entryPoints: [OURS], minify });
}

/** Whether `wrangler.toml` has the upload minified. */
export async function isUploadMinified(): Promise<boolean> {
  return /^minify\s*=\s*true/m.test(await readFile(path("../../wrangler.toml"), "utf8"));
}

/** Ours with a ledger that costs nothing. */
export function withoutLedgerBundle(): Promise<string> {
  const contents = `
    import worker from ${JSON.stringify(OURS)};
    import { freeLedger } from ${JSON.stringify(path("./handlers/free-ledger.ts"))};
    export * from ${JSON.stringify(OURS)};
    // The same object each time: the worker keeps what it has parsed of its environment.
    let cached;
    export default {
      fetch(request, env, execution) {
        cached ??= { ...env, LEDGER: freeLedger };
        return worker.fetch(request, cached, execution);
      },
    };`;
  return bundle({ ...OPTIONS, stdin: { contents, resolveDir: path("./"), loader: "ts" } });
}

export function peerBundle(name: "floor" | "sdk"): Promise<string> {
  return bundle({ ...OPTIONS, entryPoints: [path(`./handlers/${name}.ts`)] });
}

async function bundle(options: BuildOptions): Promise<string> {
  const { outputFiles } = await build(options);
  return outputFiles?.[0]?.text ?? "";
}

function path(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}
