/** How a failed command ends. */
import type { ErrorCode } from "../../shared/errors.ts";
import { AuditError } from "../../shared/errors.ts";
import { Unusable } from "../../verifier/verify.mjs";

/** Wrong command line or environment: exit 2, and nothing was done. */
export class WrongUse extends Error {
  readonly code = "wrong_use";
}

/** The operator did not confirm: exit 1, and nothing was done. */
export class NotConfirmed extends Error {
  readonly code = "aborted";
  constructor() {
    super("not confirmed, so nothing was changed; run the command again and answer y");
  }
}

/** A failure as printed. Unexpected errors have the code `internal`. */
interface Failure {
  readonly exitCode: 1 | 2;
  readonly code: ErrorCode | WrongUse["code"] | NotConfirmed["code"] | Unusable["code"];
  readonly message: string;
}

/** Returns the exit code, the fixed code and the message of any thrown value. */
export function failureOf(error: unknown): Failure {
  if (error instanceof WrongUse) return { exitCode: 2, code: error.code, message: error.message };
  if (error instanceof NotConfirmed) return { exitCode: 1, code: error.code, message: error.message };
  if (error instanceof Unusable) return { exitCode: error.exitCode, code: error.code, message: error.message };
  if (error instanceof AuditError) return { exitCode: 1, code: error.code, message: error.message };
  const message = error instanceof Error ? error.message : String(error);
  return { exitCode: 1, code: "internal", message };
}
