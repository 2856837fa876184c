/** Fixed error codes; a caller may switch on them, so a code never changes its meaning. */
export type ErrorCode =
  /** An option or an argument is wrong; nothing was done. */
  | "invalid_option"
  /** A variable is missing or malformed; the message names it, never its value. */
  | "missing_variable"
  /** A variable has a value that cannot be used. */
  | "invalid_variable"
  /** A message cannot be read: it is no JSON, or not of the shape that its version says. */
  | "invalid_message"
  /** A message of a newer version than the worker knows: it stays on the queue; deploy the worker. */
  | "unsupported_version"
  /** A signature is missing, wrong, too old, or for another URL or body. */
  | "invalid_signature"
  /** A body or a bundle is larger than its limit. */
  | "payload_too_large"
  /** The admin token is missing, wrong, or in the query. */
  | "unauthorized"
  /** There is no such route, event or entry. */
  | "not_found"
  /** The route exists with another method. */
  | "method_not_allowed"
  /** A parameter or a body of the API is wrong; the message names the field. */
  | "invalid_request"
  /** The state does not allow it, such as a discard of a record that is being delivered. */
  | "conflict"
  /** Delivery is paused. */
  | "paused"
  /** Another delivery holds the record; QStash asks again. */
  | "leased"
  /** At least one record of the message is not delivered yet; QStash asks again. */
  | "undelivered"
  /** Every record of the message has ended, and WorkOS refused at least one for good. */
  | "rejected"
  /** Another system did not answer, or not with sense; the same call may succeed later. */
  | "unavailable"
  /** QStash did not take the message. */
  | "queue_unreachable"
  /** A route with assurance `required` was refused, because its record could not be kept. */
  | "audit_unavailable"
  /** A route with `"unreadable": "refuse"` refused a request, because its body could not be read for the audit log. */
  | "unreadable_body"
  /** A local port is in use. */
  | "port_taken"
  /** Another process has the database open. */
  | "database_in_use"
  /** A database cannot be opened. */
  | "database_unreadable"
  /** Something did not happen in its time. */
  | "timeout"
  /** Anything that is not one of the others. */
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
