/** Asks the operator for confirmation. */
import { createInterface } from "node:readline/promises";
import { NotConfirmed } from "./failure.ts";

/** Resolves on `y` or `yes`. Throws `NotConfirmed` on anything else. */
export async function confirm(question: string): Promise<void> {
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  // Ctrl-C and Ctrl-D close the prompt without an answer, which counts as no.
  const closed = new Promise<string>((resolve) => prompt.once("close", () => resolve("")));
  const answer = await Promise.race([prompt.question(`${question} [y/N] `), closed]);
  prompt.close();
  if (/^y(es)?$/i.test(answer.trim())) return;
  throw new NotConfirmed();
}
