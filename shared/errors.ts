/** Fixed error codes; a caller may switch on them, so a code never changes its meaning. */
export type ErrorCode =
  | "invalid_option"
  | "missing_variable"
  | "invalid_variable"
  | "invalid_message"
  | "unsupported_version"
  | "invalid_record"
  | "invalid_signature"
  | "payload_too_large"
  | "unauthorized"
  | "not_found"
  | "method_not_allowed"
  | "invalid_request"
  | "conflict"
  | "paused"
  | "leased"
  | "undelivered"
  | "rejected"
  | "unavailable"
  | "queue_unreachable"
  | "audit_unavailable"
  | "port_taken"
  | "timeout"
  | "internal";

/** An expected failure with a fixed `code`; the message names the field in quotes and never holds a secret or a body. */
export class AuditError extends Error {
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "AuditError";
    this.code = code;
  }
}

/** An RFC 9457 problem document with our fixed `code`. */
export interface Problem {
  readonly type: "about:blank";
  readonly title: string;
  readonly status: number;
  readonly code: ErrorCode;
  readonly detail: string;
}

/** Makes the RFC 9457 body for an error answer. */
export function problem(status: number, code: ErrorCode, title: string, detail: string): Problem {
  return { type: "about:blank", title, status, code, detail };
}
