/** Commands that a message tells the reader to run. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { quoted } from "./shell.ts";

/**
 * Returns a command line that runs as printed, without `npm link`. Undefined words are left out. Pass paths as absolute ones, so
 * that the command works from any directory.
 *
 * @example suggest("init", "/srv/my api", "--check") // npx audit-forwarder init '/srv/my api' --check
 */
export type Suggest = (...words: readonly (string | undefined)[]) => string;

const ROOT = resolve(fileURLToPath(new URL("../../", import.meta.url)));

/** Suggestions for somebody in `directory`; `secretsFile` is the file of variables that they named this time. */
export function suggestFrom(directory: string, secretsFile?: string): Suggest {
  // Outside the clone, `npx` alone would download a stranger's package.
  const program = directory === ROOT ? ["npx"] : ["npx", "--prefix", ROOT];
  const file = secretsFile === undefined ? [] : ["--secrets-file", resolve(directory, secretsFile)];
  return (...words) => {
    const given = words.filter((word) => word !== undefined);
    const end = READS_NO_VARIABLE.has(given[0] ?? "") ? [] : file;
    return [...program, "audit-forwarder", ...given, ...end].map(quoted).join(" ");
  };
}

const READS_NO_VARIABLE: ReadonlySet<string> = new Set(["init", "coverage", "completion"]);
