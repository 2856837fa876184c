/** Answers of the worker's routes: JSON, and problem documents (RFC 9457). */
import { problem, type ErrorCode } from "../../shared/errors.ts";

/** A JSON answer that must not be cached. */
export function jsonAnswer(body: unknown, status = 200, headers: Record<string, string> = {}): Response {
  return new Response(JSON.stringify(body), {
    status,
    headers: { "content-type": "application/json", "cache-control": "no-store", ...headers },
  });
}

/** An error answer with a fixed `code`. `detail` names the field and the fix, never a secret or a body. `members` extend the document. */
export function problemAnswer(
  status: number,
  code: ErrorCode,
  title: string,
  detail: string,
  headers: Record<string, string> = {},
  members: Readonly<Record<string, unknown>> = {},
): Response {
  return new Response(JSON.stringify({ ...problem(status, code, title, detail), ...members }), {
    status,
    headers: { "content-type": "application/problem+json", "cache-control": "no-store", ...headers },
  });
}
