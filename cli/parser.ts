/** The command line of `audit-forwarder`: its commands, the global options, and the checks for wrong use. */
import yargs, { type Argv } from "yargs";
import { failLine, type Finish, type Registration } from "./run/command.ts";
import { WrongUse } from "./run/failure.ts";
import type { Io } from "./run/io.ts";
import { PROGRAM } from "./run/suggestion.ts";

interface ParserPorts {
  readonly commands: readonly Registration[];
  /** The text of `--version`. */
  readonly version?: string;
  /** Called when a command runs, after the secrets file was read. */
  readonly io: () => Io;
  /** Prints the report of a command. */
  readonly finish: Finish;
  /** Adds the variables of `--secrets-file`. */
  readonly readSecrets: (secretsFile: string) => Promise<void>;
}

/** Returns the parser of a command line. It throws `WrongUse`, and whatever the command throws. */
export function commandLine({ commands, io, finish, readSecrets, version = "" }: ParserPorts): Argv {
  const parser = yargs()
    .scriptName(PROGRAM)
    .usage("$0 <command>\n\nDurable audit events from a Zuplo gateway to WorkOS.")
    .option("json", { type: "boolean", describe: "Print one JSON document instead of text", global: true })
    .option("secrets-file", {
      type: "string",
      requiresArg: true,
      describe: "A .env file with variables, such as the one that you deploy with; the environment wins",
      global: true,
    })
    .middleware(async ({ secretsFile }) => {
      if (typeof secretsFile === "string") await readSecrets(secretsFile);
    })
    .epilogue(
      'AUDIT_WORKER_URL and AUDIT_ADMIN_TOKEN select the deployment and authorize you. "schemas" reads WORKOS_API_KEY instead, "pseudonym" ' +
        'AUDIT_PSEUDONYM_KEYS, "init" none; "doctor" reads the worker\'s variables too.\nExit codes: 0 done, 1 failed, 2 wrong use.',
    )
    .version(version)
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
    .fail((message: string, error?: Error) => failLine(message, error, io().suggest("help")));
  for (const register of commands) register(parser, io, finish);
  return parser;
}

/** Options and positionals that accept several values; any other repeated one is refused. */
const REPEATABLE = new Set([
  "_",
  "arguments",
  "class",
  "state",
  "header",
  "set",
  "drop",
  "export",
  "event-ids",
  "eventIds",
]);
