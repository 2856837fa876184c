/** How a command ends when it cannot do what was asked. */
import type { ErrorCode } from "../../shared/errors.ts";
import { AuditError } from "../../shared/errors.ts";

/** The command line or the environment is wrong: exit 2, and nothing was done. */
export class WrongUse extends Error {
  readonly code = "wrong_use";
}

/** One line for a person and one object for a program; what is not ours is `internal`. */
export interface Failure {
  readonly exitCode: 1 | 2;
  readonly code: ErrorCode | WrongUse["code"];
  readonly message: string;
}

/** What to tell of anything that was thrown. */
export function failureOf(error: unknown): Failure {
  if (error instanceof WrongUse) return { exitCode: 2, code: error.code, message: error.message };
  if (error instanceof AuditError) return { exitCode: 1, code: error.code, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { exitCode: 1, code: "internal", message };
}
