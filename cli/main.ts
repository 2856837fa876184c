/** The entry of `audit-forwarder`: parses the command line, runs one command, prints its report. Exit 0 done, 1 failed, 2 wrong use. */
import yargs from "yargs";
import { commands } from "./commands/index.ts";
import type { Report } from "./run/command.ts";
import { failureOf, WrongUse } from "./run/failure.ts";
import { processIo } from "./run/io.ts";
import { visible } from "./run/text.ts";
import { readSecretsFile } from "./deploy/secrets-file.ts";

const line = process.argv.slice(2);
/** The process's variables, and below them those of the secrets file. */
const variables: Record<string, string | undefined> = { ...process.env };
let io = processIo(variables);

function finish(report: Report, json: boolean): void {
  const text = json ? jsonText(report.json) : report.lines.join("\n");
  if (text !== "") process.stdout.write(`${text}\n`);
  if (report.ok === false) process.exitCode = 1;
}

/** JSON leaves the control characters above 0x7e as they are; a terminal may obey them. */
function jsonText(value: unknown): string {
  return JSON.stringify(value, null, 2).replaceAll(
    /[\u007f-\u009f]/g,
    (char) => `\\u00${char.charCodeAt(0).toString(16)}`,
  );
}

function fail(error: unknown): void {
  const { exitCode, code, message } = failureOf(error);
  if (line.includes("--json")) process.stdout.write(`${jsonText({ error: { code, message } })}\n`);
  io.note(`error[${code}]: ${visible(message)}`);
  process.exitCode = exitCode;
}

/** Options and positionals that take several values; any other one that is given twice is refused. */
const REPEATABLE = new Set(["_", "class", "state", "header", "set", "drop", "event-ids", "eventIds"]);

const parser = yargs()
  .scriptName("npx audit-forwarder")
  .usage("$0 <command>\n\nDurable audit events from a Zuplo gateway to WorkOS.")
  .option("json", { type: "boolean", describe: "Print one JSON document instead of text", global: true })
  .option("secrets-file", {
    type: "string",
    requiresArg: true,
    describe: "A .env file with variables, as for npm run deploy; the environment wins",
    global: true,
  })
  .middleware(async ({ secretsFile }) => {
    if (typeof secretsFile !== "string") return;
    const { plain, secrets } = await readSecretsFile(secretsFile, io.note);
    for (const [name, value] of Object.entries({ ...plain, ...secrets })) variables[name] ||= value;
    io = processIo(variables, secretsFile);
  })
  .epilogue(
    'AUDIT_WORKER_URL and AUDIT_ADMIN_TOKEN name the deployment and open it. "schemas" reads WORKOS_API_KEY instead, "pseudonym" ' +
      'AUDIT_PSEUDONYM_KEYS, "init" none; "doctor" reads the worker\'s variables too.\nExit codes: 0 done, 1 failed, 2 wrong use.',
  )
  .locale("en")
  .parserConfiguration({ "duplicate-arguments-array": true, "boolean-negation": false })
  .strict()
  .check((args) => {
    const twice = Object.entries(args).find(([name, value]) => Array.isArray(value) && !REPEATABLE.has(name));
    if (twice) throw new WrongUse(`"--${twice[0]}" is given twice`);
    return true;
  })
  .recommendCommands()
  .demandCommand(1, "a command is needed")
  .alias("help", "h")
  .showHelpOnFail(false)
  .exitProcess(false)
  .fail((message, error) => {
    throw (
      error ??
      new WrongUse(
        `${message.replaceAll(/\s*:\s*\n\s*/g, ": ").replaceAll(/\s*\n\s*/g, "; ")}; see "${io.suggest("--help")}"`,
      )
    );
  });
for (const register of commands) register(parser, () => io, finish);

// A reader such as `head` may close the pipe early; that is not a failure of ours.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
});

try {
  await parser.parseAsync(line);
} catch (error) {
  fail(error);
}
