/** Reads the input piped into a command. */
import { WrongUse } from "./failure.ts";
import type { Io } from "./io.ts";

/** Returns stdin; throws `WrongUse` on a terminal, because `argument` was probably forgotten. */
export function pipedInput(argument: string, { input }: Pick<Io, "input">): NodeJS.ReadableStream {
  if (input.isTTY) throw new WrongUse(`"${argument}" is missing; name it, or pipe it in`);
  return input;
}
