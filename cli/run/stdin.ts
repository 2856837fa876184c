/** Reads the input piped into a command. */
import { WrongUse } from "./failure.ts";

/** Returns stdin; throws `WrongUse` on a terminal, because `argument` was probably forgotten. */
export function pipedInput(argument: string): NodeJS.ReadableStream {
  if (process.stdin.isTTY) throw new WrongUse(`"${argument}" is missing; name it, or pipe it in`);
  return process.stdin;
}
