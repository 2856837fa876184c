/** Reads the file of `--secrets-file`, which `npm run deploy` and every command accept. */
import { readFile, stat } from "node:fs/promises";
import { WrongUse } from "../run/failure.ts";
import type { Io } from "../run/io.ts";
import { quoted } from "../run/shell.ts";
import { parseValues, type Values } from "./variables.ts";

/** Returns the values of a secrets file, and warns if others can read it. Throws `WrongUse` if it is unreadable or malformed. */
export async function readSecretsFile(path: string, note: Io["note"]): Promise<Values> {
  const source = await readFile(path, "utf8").catch((cause: NodeJS.ErrnoException) => {
    throw new WrongUse(`"--secrets-file" cannot be read (${cause.code ?? "unknown"}): ${path}`, { cause });
  });
  // Windows has no such permissions.
  const { mode } = await stat(path);
  if (process.platform !== "win32" && (mode & 0o077) !== 0) {
    note(`warning: other users can read "${path}"; run: chmod 600 ${quoted(path)}`);
  }
  return parseValues(source);
}
