/** Asks a person for a yes. */
import { createInterface } from "node:readline/promises";
import { AuditError } from "../../shared/errors.ts";

/** Resolves on `y` or `yes`; throws `conflict` on anything else, so that nothing is done. */
export async function confirm(question: string): Promise<void> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C and Ctrl-D close the prompt without an answer: a no.
  const closed = new Promise<string>((resolve) => prompt.once("close", () => resolve("")));
  const answer = await Promise.race([prompt.question(`${question} [y/N] `), closed]);
  prompt.close();
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new AuditError("conflict", "not confirmed; nothing was changed");
}
