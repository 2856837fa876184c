/** Maps errors to problem documents: the only place that knows the HTTP status of a code. */
import { AuditError, type ErrorCode } from "../../shared/errors.ts";
import { problemAnswer } from "./answers.ts";

interface Status {
  readonly status: number;
  readonly title: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Failures that a caller can fix. */
const STATUSES: Readonly<Partial<Record<ErrorCode, Status>>> = {
  invalid_request: { status: 400, title: "Invalid request" },
  invalid_message: { status: 400, title: "Unreadable message" },
  unauthorized: { status: 401, title: "Unauthorized", headers: { "www-authenticate": "Bearer" } },
  forbidden: { status: 403, title: "Forbidden" },
  invalid_signature: { status: 401, title: "Unauthorized" },
  not_found: { status: 404, title: "Not found" },
  conflict: { status: 409, title: "Conflict" },
  payload_too_large: { status: 413, title: "Payload too large" },
  missing_variable: { status: 503, title: "Not configured" },
  invalid_variable: { status: 503, title: "Not configured" },
  queue_unreachable: { status: 502, title: "QStash did not answer", headers: { "retry-after": "5" } },
};

/** Returns the problem document of an expected failure; undefined for any other error. */
export function problemOf(error: unknown): Response | undefined {
  const known = error instanceof AuditError ? STATUSES[error.code] : undefined;
  if (!(error instanceof AuditError) || !known) return undefined;
  return problemAnswer(known.status, error.code, known.title, error.message, known.headers);
}

/** Answers an unexpected failure: the queue retries, and the answer reveals nothing about the cause. */
export function unavailable(): Response {
  return problemAnswer(503, "unavailable", "Unavailable", "the worker could not do it now; try again");
}
