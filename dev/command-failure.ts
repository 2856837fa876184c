/** How the commands of this folder report failures. */
import { AuditError } from "../shared/errors.ts";

/**
 * Prints an error with its code and sets the exit code: 2 for wrong use, else 1. Anything that is neither an {@link AuditError} nor
 * an error of `parseArgs` is a bug and is thrown again.
 */
export function reportFailure(error: unknown): void {
  const wrongUse = (error as NodeJS.ErrnoException).code?.startsWith("ERR_PARSE_ARGS") ?? false;
  if (!wrongUse && !(error instanceof AuditError)) throw error;
  const code = error instanceof AuditError ? error.code : "invalid_option";
  console.error(`error[${code}]: ${(error as Error).message}`);
  process.exitCode = wrongUse || code === "invalid_option" ? 2 : 1;
}
