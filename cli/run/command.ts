/** A command: its words, its options, and a function from arguments to a report. */
import type { ArgumentsCamelCase, Argv } from "yargs";
import { WrongUse } from "./failure.ts";
import type { Io } from "./io.ts";

/** The result of a command: `json` for programs, `lines` for people. */
export interface Report {
  readonly json: unknown;
  readonly lines: readonly string[];
  /** False makes the command exit 1 although it completed, for example after it found drift. Default true. */
  readonly ok?: boolean;
}

interface Command<Options> {
  /** The yargs usage, such as `trace <event-id>`. */
  readonly usage: string;
  readonly about: string;
  readonly examples?: readonly (readonly [command: string, explanation: string])[];
  readonly options?: (yargs: Argv) => Argv<Options>;
  readonly run: (args: ArgumentsCamelCase<Options>, io: Io) => Promise<Report>;
}

/** Prints the report of a command, as JSON or for people. */
export type Finish = (report: Report, json: boolean) => void;

/**
 * Adds one command to the parser. `io` is called when the command runs; `finish` prints its report; `parents` are the words before
 * the command's own.
 */
export type Registration = (yargs: Argv, io: () => Io, finish: Finish, parents?: readonly string[]) => Argv;

/** Registers a command and erases the type of its options, so that all commands fit into one list. */
export function command<Options>(definition: Command<Options>): Registration {
  const { usage, about, examples = [], options, run } = definition;
  return (yargs, io, finish, parents = []) =>
    yargs.command(
      usage,
      about,
      (parser) => {
        for (const [line, explanation] of examples) parser.example(`$0 ${line}`, explanation);
        const words = [...parents, usage.split(" ", 1)[0] ?? ""];
        parser.fail((message: string, error?: Error) => {
          const missing = missingArgument(usage, message);
          failLine(missing === undefined ? message : `"${missing}" is missing`, error, io().suggest("help", words));
        });
        return options ? options(parser) : (parser as Argv<Options>);
      },
      async (args) => finish(await run(args, io()), args["json"] === true),
    );
}

/** Returns the name of the first argument that is missing, because yargs only counts them; undefined for any other message. */
function missingArgument(usage: string, message: string): string | undefined {
  const [, given] = /^Not enough non-option arguments: got (\d+)/.exec(message) ?? [];
  if (given === undefined) return undefined;
  return [...usage.matchAll(/<([^>]+)>/g)][Number(given)]?.[1];
}

/**
 * Throws what yargs found wrong with the command line as `WrongUse` that names the `help` page, and an error of a command as it is.
 * Of several handlers, yargs calls the innermost first.
 */
export function failLine(message: string, error: Error | undefined, help: string): never {
  // yargs throws some of its own errors under its own name.
  if (error && error.name !== "YError") throw error;
  const said = message.replaceAll(/\s*:\s*\n\s*/g, ": ").replaceAll(/\s*\n\s*/g, "; ");
  throw new WrongUse(`${said}; see "${help}"`);
}

/** Registers commands under one word, such as `schemas`. */
export function group(word: string, about: string, commands: readonly Registration[]): Registration {
  return (yargs, io, finish) =>
    yargs.command(word, about, (parser) => {
      parser.fail((message: string, error?: Error) => failLine(message, error, io().suggest("help", [word])));
      for (const register of commands) register(parser, io, finish, [word]);
      return parser.demandCommand(1, `"${word}" needs one of its commands`);
    });
}
