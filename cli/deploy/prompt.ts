/** Asks a person for values that must not be seen: what is typed is not shown. */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** Asks for one value on stderr without echo; an empty answer is returned as it is. */
export async function askSecret(question: string, input: NodeJS.ReadStream = process.stdin): Promise<string> {
  const hidden = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: hidden, terminal: true });
  // Only now: until the interface holds the terminal, the terminal itself shows what is typed.
  process.stderr.write(question);
  try {
    return (await lines.question("")).trim();
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}
