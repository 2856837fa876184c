/** Asks a person for secret values without showing what they type. */
import { createInterface } from "node:readline/promises";
import { Writable } from "node:stream";

/** Asks for one value on stderr without echo; returns an empty answer unchanged. */
export async function askSecret(question: string, input: NodeJS.ReadStream = process.stdin): Promise<string> {
  const hidden = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input, output: hidden, terminal: true });
  // Written only now: until the interface controls the terminal, the terminal itself echoes the input.
  process.stderr.write(question);
  try {
    return (await lines.question("")).trim();
  } finally {
    lines.close();
    process.stderr.write("\n");
  }
}
