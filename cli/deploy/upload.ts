/** Bundles and uploads the worker, and parses wrangler's report. */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as z from "zod";
import { mustRun, type Wrangler } from "./wrangler.ts";

/** Cloudflare's smallest plan accepts 3 MB after compression. https://developers.cloudflare.com/workers/platform/limits/#worker-size */
export const BUNDLE_MAX_GZIP_BYTES = 3_000_000;

/** The line `type: "deploy"` of wrangler's output file. https://developers.cloudflare.com/workers/wrangler/system-environment-variables/ */
const Uploaded = z.object({
  type: z.literal("deploy"),
  worker_name: z.string(),
  targets: z.array(z.string()).optional(),
  bundle_size: z.object({ gzip_bytes: z.number() }).optional(),
});

export interface Upload {
  readonly worker: string;
  /** Absent after a dry run, and if `workers_dev` is off and no route is set. */
  readonly url?: string;
  readonly gzipBytes?: number;
  /** The worker's bindings and variables as wrangler lists them: a variable with its value, a binding without one. */
  readonly bindings: ReadonlyMap<string, string | undefined>;
}

/** Runs `wrangler <args>` (a `deploy`) and returns which worker it made, its URL and its size. */
export async function upload(wrangler: Wrangler, args: readonly string[]): Promise<Upload> {
  const folder = await mkdtemp(join(tmpdir(), "audit-forwarder-deploy-"));
  try {
    const report = join(folder, "output.ndjson");
    const bundle = args.includes("--dry-run") ? ["--outdir", join(folder, "bundle")] : [];
    const said = await mustRun(wrangler, [...args, ...bundle], undefined, { WRANGLER_OUTPUT_FILE_PATH: report });
    const bindings = bindingsIn(said);
    return { ...uploadIn(await readFile(report, "utf8")), bindings };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Parses lines such as `env.QSTASH_URL ("https://…")   Environment Variable`; wrangler ends a long value with `...`. */
function bindingsIn(said: string): ReadonlyMap<string, string | undefined> {
  return new Map([...said.matchAll(/^env\.(\w+)(?: \("([^"]*)"\))?/gm)].map(([, name = "", value]) => [name, value]));
}

/** Parses wrangler's output file: JSON lines; the last `deploy` counts. */
function uploadIn(lines: string): Omit<Upload, "bindings"> {
  const found = lines
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => Uploaded.safeParse(JSON.parse(line)))
    .findLast((line) => line.success);
  if (!found?.data) throw new RangeError("wrangler's output file names no deploy");
  const { worker_name: worker, targets = [], bundle_size: size } = found.data;
  const url = targets.map(urlOf).find((target) => target !== undefined);
  return { worker, ...(url ? { url } : {}), ...(size ? { gzipBytes: size.gzip_bytes } : {}) };
}

/** A target is a URL, a custom domain with a note after it, or a trigger such as `schedule: *\/5 * * * *`. */
function urlOf(target: string): string | undefined {
  if (target.startsWith("https://")) return target.replace(/\/+$/, "");
  return /^([a-z0-9.-]+\.[a-z]+) \(custom domain\)/.exec(target)?.[1]?.replace(/^/, "https://");
}
