/** Collects the secrets of a deploy: from the file, and from a person for those that the worker lacks. */
import * as z from "zod";
import { AuditError } from "../../shared/errors.ts";
import type { Io } from "../run/io.ts";
import { faultOf, missingSecrets } from "./variables.ts";
import { jsonIn, wranglerFailure, type Wrangler } from "./wrangler.ts";

const Secrets = z.array(z.object({ name: z.string() }));

/** Returns the names of the worker's secrets; empty if there is no such worker yet. */
export async function secretsOnWorker(wrangler: Wrangler, environment: string): Promise<readonly string[]> {
  const args = ["secret", "list", "--env", environment];
  const { exitCode, stdout, stderr } = await wrangler(args);
  if (exitCode === 0) return Secrets.parse(jsonIn(stdout)).map(({ name }) => name);
  const output = stderr || stdout;
  if (/Worker "[^"]*".* not found/.test(output)) return [];
  throw wranglerFailure(args, output);
}

interface Asking {
  readonly io: Pick<Io, "interactive" | "note">;
  readonly ask: (name: string) => Promise<string>;
}

/** Returns the secrets to set. Throws `missing_variable` if a required one is missing and nobody can be asked. */
export async function collectSecrets(
  fromFile: Readonly<Record<string, string>>,
  onWorker: readonly string[],
  { io, ask }: Asking,
): Promise<Readonly<Record<string, string>>> {
  const missing = missingSecrets(Object.keys(fromFile), onWorker);
  if (missing.length > 0 && !io.interactive) {
    throw new AuditError(
      "missing_variable",
      `missing secrets: ${missing.join(", ")}; put them into a file for "--secrets-file"`,
    );
  }
  const asked: Record<string, string> = {};
  for (const name of missing) asked[name] = await askUntilRight(name, { io, ask });
  return { ...fromFile, ...asked };
}

async function askUntilRight(name: string, { io, ask }: Asking): Promise<string> {
  for (;;) {
    const value = await ask(name);
    const fault = faultOf(name, value);
    if (fault === undefined) return value;
    io.note(`"${name}" ${fault}`);
  }
}
