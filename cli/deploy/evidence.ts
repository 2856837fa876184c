/** The optional bucket of the evidence, bound to the worker as `EVIDENCE`, and the file with its verifier key. */
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { originOf, verifierKeyOf } from "../evidence/key.ts";
import { keyFileIn } from "../evidence/key-file.ts";
import { wranglerFailure, type Wrangler } from "./wrangler.ts";

/** Name of an environment's bucket. */
export function bucketName(environment: string): string {
  return `audit-forwarder-${environment}-evidence`;
}

/** The wrangler arguments that create the bucket, in the jurisdiction of the worker's data if it has one. */
export function createBucket(environment: string, jurisdiction?: string): readonly string[] {
  return ["r2", "bucket", "create", bucketName(environment), ...(jurisdiction ? ["--jurisdiction", jurisdiction] : [])];
}

/**
 * Creates the environment's bucket unless it exists, and binds it in `wrangler.toml`. A bucket can never change its jurisdiction, and one
 * name may exist in several, so the binding names it too.
 * https://developers.cloudflare.com/r2/reference/data-location/#jurisdictional-restrictions
 */
export async function bindBucket(
  wrangler: Wrangler,
  root: string,
  environment: string,
  jurisdiction?: string,
): Promise<void> {
  const args = createBucket(environment, jurisdiction);
  const { exitCode, stdout, stderr } = await wrangler(args);
  const said = `${stderr}${stdout}`;
  if (exitCode !== 0 && !/already exists/.test(said)) throw wranglerFailure(args, said);
  const binding = `\n[[env.${environment}.r2_buckets]]\nbinding = "EVIDENCE"\nbucket_name = "${bucketName(environment)}"\n`;
  const place = jurisdiction ? `jurisdiction = "${jurisdiction}"\n` : "";
  await appendFile(join(root, "wrangler.toml"), binding + place);
}

/** Adds a verifier key to the key file, and returns it. Existing lines stay: old keys and witnesses. */
export async function writeVerifierKey(
  root: string,
  key: string,
  { origin, workerUrl }: { readonly origin: string | undefined; readonly workerUrl: string },
): Promise<string> {
  const line = verifierKeyOf(key, origin ?? originOf(workerUrl));
  const path = keyFileIn(root);
  const known = await readFile(path, "utf8").catch(() => "");
  if (!known.split("\n").includes(line)) await writeFile(path, `${known}${line}\n`);
  return line;
}
