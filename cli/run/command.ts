/** What a command is: its words, its options, and a function from arguments to a report. */
import type { ArgumentsCamelCase, Argv } from "yargs";
import type { Io } from "./io.ts";

/** What a command has to say. `json` is the whole of it; `lines` are the same for people. */
export interface Report {
  readonly json: unknown;
  readonly lines: readonly string[];
  /** False where the work was done but its answer is a no, such as drift: exit 1. Default true. */
  readonly ok?: boolean;
}

export interface Command<Options> {
  /** The yargs usage, such as `trace <event-id>`. */
  readonly usage: string;
  readonly about: string;
  readonly examples?: readonly (readonly [command: string, explanation: string])[];
  readonly options?: (yargs: Argv) => Argv<Options>;
  readonly run: (args: ArgumentsCamelCase<Options>, io: Io) => Promise<Report>;
}

/** Puts one command on the parser; `finish` prints its report. */
export type Registration = (yargs: Argv, io: Io, finish: (report: Report, json: boolean) => void) => Argv;

/** Makes a registration, which forgets the type of the options, so that commands of all kinds fit one list. */
export function command<Options>(definition: Command<Options>): Registration {
  const { usage, about, examples = [], options, run } = definition;
  return (yargs, io, finish) =>
    yargs.command(
      usage,
      about,
      (parser) => {
        for (const [line, explanation] of examples) parser.example(`$0 ${line}`, explanation);
        return options ? options(parser) : (parser as Argv<Options>);
      },
      async (args) => finish(await run(args, io), args["json"] === true),
    );
}

/** Makes a registration of commands under one word, such as `schemas`. */
export function group(word: string, about: string, commands: readonly Registration[]): Registration {
  return (yargs, io, finish) =>
    yargs.command(word, about, (parser) => {
      for (const register of commands) register(parser, io, finish);
      return parser.demandCommand(1, `"${word}" needs one of its commands`);
    });
}
