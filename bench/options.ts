/** The command line of `npm run bench`. */
import yargs from "yargs";
import { AuditError } from "../shared/errors.ts";
import { PART_NAMES, type PartName } from "./report/part.ts";

interface BenchOptions {
  readonly parts: readonly PartName[];
  readonly quick: boolean;
  readonly json: boolean;
  /** What a reader types to repeat this run. */
  readonly command: string;
}

/** Parses the arguments; undefined if only the help was asked for. Codes: `invalid_option`. */
export async function parseBenchOptions(
  args: readonly string[],
  print: (text: string) => void = console.log,
): Promise<BenchOptions | undefined> {
  const parser = yargs([...args])
    .scriptName("npm run bench --")
    .usage("$0 [options]\n\nMeasures, prints, and writes bench/README.md and bench/results.json.")
    .option("only", { type: "string", array: true, describe: `parts to run: ${PART_NAMES.join(", ")}` })
    .option("quick", { type: "boolean", default: false, describe: "a tenth of the work; writes nothing" })
    .option("json", { type: "boolean", default: false, describe: "print one JSON document instead of tables" })
    .strict()
    .locale("en")
    .version(false)
    .exitProcess(false)
    .showHelpOnFail(false)
    .fail((message, error) => {
      throw error ?? new AuditError("invalid_option", `${message.toLowerCase()}; see "npm run bench -- --help"`);
    });
  let help = "";
  const { only, quick, json } = await parser.parseAsync([...args], {}, (_error, _argv, output) => {
    help = output;
  });
  if (help) {
    print(help);
    return undefined;
  }
  const command = ["npm run bench", ...(args.length > 0 ? ["--", ...args] : [])].join(" ");
  return { parts: partsOf(only), quick, json, command };
}

/** In the order of the report, each once, however they were given. */
function partsOf(only: readonly string[] | undefined): readonly PartName[] {
  if (!only) return PART_NAMES;
  const wanted = only.flatMap((names) => names.split(","));
  const unknown = wanted.find((name) => !PART_NAMES.some((known) => known === name));
  if (unknown !== undefined || wanted.length === 0) {
    throw new AuditError("invalid_option", `"--only" takes ${PART_NAMES.join(", ")}, not "${unknown ?? ""}"`);
  }
  return PART_NAMES.filter((name) => wanted.includes(name));
}
