/** Gathers the secrets of a deploy: from the file, and from a person where the worker lacks one. */
import * as z from "zod";
import { AuditError } from "../../shared/errors.ts";
import type { Io } from "../run/io.ts";
import { faultOf, missingSecrets } from "./variables.ts";
import { complaintIn, jsonIn, type Wrangler } from "./wrangler.ts";

const Secrets = z.array(z.object({ name: z.string() }));

/** Names of the secrets that the worker has; none where there is no such worker yet. */
export async function secretsOnWorker(wrangler: Wrangler, environment: string): Promise<readonly string[]> {
  const { exitCode, stdout, stderr } = await wrangler(["secret", "list", "--env", environment]);
  if (exitCode === 0) return Secrets.parse(jsonIn(stdout)).map(({ name }) => name);
  const complaint = complaintIn(stderr || stdout);
  if (/Worker "[^"]*".* not found/.test(complaint)) return [];
  throw new AuditError("internal", `"wrangler secret list --env ${environment}" failed: ${complaint}`);
}

interface Asking {
  readonly io: Pick<Io, "interactive" | "note">;
  readonly ask: (name: string) => Promise<string>;
}

/** The secrets to set; throws `missing_variable` where a required one is missing and nobody can be asked. */
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
