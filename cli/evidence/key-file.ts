/** The file of the verifier keys: where a deploy writes it, and where the other commands find it. */
import { existsSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { WrongUse } from "../run/failure.ts";
import { workerFolder } from "../run/installation.ts";

/** Verifier keys, one a line; commit the file and give it to auditors. */
export const KEY_FILE = "audit-evidence.pub";

/** Help for the option that names another file. */
export const KEY_OPTION = {
  type: "string",
  requiresArg: true,
  describe: `The file with the verifier key; default ${KEY_FILE} here or where deploy --evidence writes it`,
} as const;

/** The key file in a folder: of `wrangler.toml` for a deploy, of the state for `dev`. */
export function keyFileIn(folder: string): string {
  return join(folder, KEY_FILE);
}

/**
 * Returns the key file that a command uses without `--key`; undefined if there is none. `secretsFile` is the file of variables that
 * selects the deployment: `dev` writes both into one folder.
 */
export function findKeyFile(secretsFile: unknown): string | undefined {
  return placesOf(secretsFile).find((path) => existsSync(path));
}

/** Returns what `findKeyFile` finds. Throws `WrongUse`, with the places, if there is none. */
export function requireKeyFile(secretsFile: unknown): string {
  const found = findKeyFile(secretsFile);
  if (found !== undefined) return found;
  throw new WrongUse(`${noKeyFile(secretsFile)}; name it with "--key", or make one with "deploy --evidence"`);
}

/** Says where no key file was found. */
export function noKeyFile(secretsFile: unknown): string {
  const places = placesOf(secretsFile).map((path) => `"${path}"`);
  return `there is no verifier key in ${places.join(" or ")}`;
}

function placesOf(secretsFile: unknown): readonly string[] {
  const ofDev = typeof secretsFile === "string" ? [keyFileIn(dirname(secretsFile))] : [];
  // A key in the same folder as a checkpoint came with the evidence, so it proves nothing.
  const here = existsSync("checkpoint") ? [] : [KEY_FILE];
  const ofDeploy = relative(process.cwd(), keyFileIn(workerFolder()));
  return [...new Set([...ofDev, ...here, ofDeploy])];
}
