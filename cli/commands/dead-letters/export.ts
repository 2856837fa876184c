/** `dead-letters export`: writes the selected entries as JSON lines or CSV. */
import { Readable, Writable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { stringify } from "csv-stringify";
import type { WholeDeadLetter } from "../../api/answers.ts";
import { openApi } from "../../api/client.ts";
import { DEAD_LETTER_STATES } from "../../../shared/dead-letter.ts";
import { filterOptions, toFilter } from "../../dead-letters/filter.ts";
import { everyDeadLetter } from "../../dead-letters/pages.ts";
import { command } from "../../run/command.ts";
import { WrongUse } from "../../run/failure.ts";
import { openPrivateFile } from "../../run/private-file.ts";
import { count } from "../../run/text.ts";

// prettier-ignore
const CSV_COLUMNS = [
  "event_id", "state", "class", "wrote", "reason", "status", "attempts", "source", "action", "organization", "method", "route",
  "occurred_at", "first_attempt_at", "last_attempt_at", "parked_at", "replays", "replay_id", "safe_until", "record",
] as const;

export const exportLetters = command({
  usage: "export",
  about: "Write dead letters as JSON lines or CSV, to a file or stdout",
  examples: [
    ["dead-letters export --reveal --output letters.jsonl", "everything, for an import elsewhere"],
    ["dead-letters export --format csv > letters.csv", "for a spreadsheet"],
  ],
  options: (yargs) =>
    filterOptions(yargs)
      .option("state", { array: true, choices: DEAD_LETTER_STATES, nargs: 1, describe: "Default open and replaying" })
      .option("format", { choices: ["jsonl", "csv"] as const, default: "jsonl" as const })
      .option("output", {
        alias: "o",
        type: "string",
        requiresArg: true,
        describe: "Write to this file; default stdout",
      })
      .option("reveal", { type: "boolean", describe: "Include the values that routes selected; an import needs them" }),
  run: async (args, io) => {
    if (args.json && args.output === undefined) throw new WrongUse('"--json" needs "--output": stdout is the export');
    const query = { ...toFilter(args, Date.now()), state: args.state?.join(","), reveal: args.reveal };
    let exported = 0;
    const entries = everyDeadLetter(openApi(io), query);
    async function* counted() {
      for await (const entry of entries) {
        exported++;
        yield entry;
      }
    }
    const target =
      args.output === undefined ? keptOpen(io.output) : (await openPrivateFile(args.output)).createWriteStream();
    await (args.format === "csv"
      ? pipeline(
          Readable.from(counted()).map(csvRow),
          stringify({ header: true, columns: [...CSV_COLUMNS], escape_formulas: true }),
          target,
        )
      : pipeline(Readable.from(jsonLines(counted())), target));
    const done = `exported ${count(exported, "dead letter")}`;
    if (args.output === undefined) io.note(done);
    return {
      json: { exported, file: args.output },
      lines: args.output === undefined ? [] : [`${done} to ${args.output}`],
    };
  },
});

async function* jsonLines(entries: AsyncIterable<WholeDeadLetter>) {
  for await (const entry of entries) yield `${JSON.stringify(entry)}\n`;
}

function csvRow(entry: WholeDeadLetter): readonly string[] {
  return CSV_COLUMNS.map((column) => {
    const value = entry[column];
    if (value === undefined) return "";
    return typeof value === "string" ? value : JSON.stringify(value);
  });
}

/** `pipeline` closes its target, but stdout must stay open for the final report. A reader that has closed the pipe is no failure. */
function keptOpen(output: NodeJS.WritableStream): Writable {
  return new Writable({ write: (chunk: Buffer, _encoding, done) => void output.write(chunk, () => done()) });
}
