/** Turns expected failures of a handler into problem documents. */
import { AuditError, type ErrorCode } from "../../shared/errors.ts";
import { problemAnswer } from "../http/answers.ts";
import type { Context } from "../http/router.ts";

const ANSWERS: Partial<Record<ErrorCode, readonly [status: number, title: string]>> = {
  invalid_request: [400, "Invalid request"],
  not_found: [404, "Not found"],
  conflict: [409, "Conflict"],
  payload_too_large: [413, "Payload too large"],
};

/** Runs a handler; an expected refusal gets its status, anything else is for the caller to answer. */
export function refusing(handle: (context: Context) => Promise<Response>): (context: Context) => Promise<Response> {
  return async (context) => {
    try {
      return await handle(context);
    } catch (error) {
      const known = error instanceof AuditError ? ANSWERS[error.code] : undefined;
      if (!(error instanceof AuditError) || !known) throw error;
      return problemAnswer(known[0], error.code, known[1], error.message);
    }
  };
}
