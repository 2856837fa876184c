/** What is piped into a command. */
import { WrongUse } from "./failure.ts";

/** Stdin; throws `WrongUse` on a terminal, where `argument` was left out by mistake. */
export function pipedInput(argument: string): NodeJS.ReadableStream {
  if (process.stdin.isTTY) throw new WrongUse(`"${argument}" is missing; name it, or pipe it in`);
  return process.stdin;
}
