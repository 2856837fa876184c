/** Every command, in the order of the help. */
import type { Registration } from "../run/command.ts";
import { init } from "./init.ts";

export const commands: readonly Registration[] = [init];
