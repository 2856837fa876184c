/** Error messages for failed calls to the worker. */
import * as z from "zod";
import type { ErrorCode } from "../../shared/errors.ts";
import { AuditError } from "../../shared/errors.ts";
import { WrongUse } from "../run/failure.ts";

const Problem = z.looseObject({ code: z.string(), detail: z.string() });

/** Turns an error response into a failure. `invalid_request` counts as wrong use (exit 2). */
export function failureOfAnswer(status: number, json: unknown, retryAfter: string | null): AuditError | WrongUse {
  if (status === 401) {
    return new AuditError(
      "unauthorized",
      'the worker refuses "AUDIT_ADMIN_TOKEN": it is wrong or has expired; export a token that the worker knows',
    );
  }
  const problem = Problem.safeParse(json);
  if (!problem.success) {
    return new AuditError(
      status >= 500 ? "unavailable" : "internal",
      `"AUDIT_WORKER_URL" answers ${status} without a reason; does it name the audit worker?`,
    );
  }
  const { code, detail } = problem.data;
  if (code === "invalid_request") return new WrongUse(detail);
  const again = retryAfter === null ? "" : `; ask again in ${retryAfter} s`;
  return new AuditError(code as ErrorCode, detail + again);
}

/** The worker did not answer at all. */
export function failureOfFetch(cause: unknown, origin: string, timeoutMs: number): AuditError {
  if (cause instanceof DOMException && cause.name === "TimeoutError") {
    return new AuditError("timeout", `the worker at ${origin} did not answer within ${timeoutMs / 1000} s`, { cause });
  }
  const reason = (cause as { cause?: { code?: unknown } }).cause?.code;
  const why = typeof reason === "string" ? ` (${reason})` : "";
  return new AuditError("unavailable", `the worker at ${origin} does not answer${why}; check "AUDIT_WORKER_URL"`, {
    cause,
  });
}
