/** `dead-letters import [file]`: imports an export into another deployment. */
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import { Imported } from "../../api/answers.ts";
import { type Api, openApi } from "../../api/client.ts";
import { chunks, type Line } from "../../dead-letters/import-lines.ts";
import { command } from "../../run/command.ts";
import { WrongUse } from "../../run/failure.ts";
import { pipedInput } from "../../run/stdin.ts";
import { count } from "../../run/text.ts";

export const importLetters = command({
  usage: "import [file]",
  about: "Import exported dead letters into this deployment (JSON lines, exported with --reveal)",
  examples: [["dead-letters import letters.jsonl", "an export of the old deployment"]],
  options: (yargs) => yargs.positional("file", { type: "string", describe: "A file of JSON lines; default stdin" }),
  run: async (args, io) => {
    const api = openApi(io);
    const input = args.file === undefined ? pipedInput("file", io) : createReadStream(args.file);
    const total = { imported: 0, known: 0, refused: [] as Imported["refused"] };
    for await (const chunk of chunks(linesOf(input, args.file))) {
      const answer = await send(api, chunk);
      total.imported += answer.imported;
      total.known += answer.known;
      total.refused.push(...answer.refused);
    }
    for (const { line, detail } of total.refused) io.note(`line ${line}: ${detail}`);
    const said = `imported ${count(total.imported, "dead letter")}, ${total.known} known already, ${total.refused.length} refused`;
    return { json: total, lines: [said], ok: total.refused.length === 0 };
  },
});

/** The worker numbers the lines of its request; this maps them to the lines of the file. */
async function send(api: Api, chunk: readonly Line[]): Promise<Imported> {
  const body = chunk.map(({ text }) => `${text}\n`).join("");
  const answer = await api.post(Imported, "/api/dead-letters/import", body, "application/x-ndjson");
  const refused = answer.refused.map((refusal) =>
    Object.assign(refusal, { line: chunk[refusal.line - 1]?.number ?? refusal.line }),
  );
  return { ...answer, refused };
}

async function* linesOf(input: NodeJS.ReadableStream, file = "stdin"): AsyncGenerator<string> {
  try {
    yield* createInterface({ input, crlfDelay: Infinity });
  } catch (cause) {
    throw new WrongUse(`"${file}" cannot be read; name a file`, { cause });
  }
}
