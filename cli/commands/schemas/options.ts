/** The arguments of both `schemas` commands. */
import type { Argv } from "yargs";
import { LOCK_FILE } from "../../schemas/lock.ts";

export function schemaOptions<T>(yargs: Argv<T>) {
  return yargs
    .positional("zuplo-project", { type: "string", default: ".", describe: "The project's directory" })
    .option("lock", {
      type: "string",
      requiresArg: true,
      default: LOCK_FILE,
      defaultDescription: "audit-schemas.lock.json",
      describe: "The lock file that the worker is built with",
    });
}
