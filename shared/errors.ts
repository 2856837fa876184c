/** Fixed error codes. Callers switch on them, so a code never changes its meaning. */
export type ErrorCode =
  /** An option or an argument is wrong; nothing was done. */
  | "invalid_option"
  /** A variable is missing or malformed; the message names it, never its value. */
  | "missing_variable"
  /** A variable has a value that cannot be used. */
  | "invalid_variable"
  /** A message cannot be read: it is not JSON, or does not have the shape of its version. */
  | "invalid_message"
  /** A message has a newer version than the worker. It stays on the queue. Deploy the worker. */
  | "unsupported_version"
  /** A signature is missing, wrong, too old, or for another URL or body. */
  | "invalid_signature"
  /** A body or a bundle is larger than its limit. */
  | "payload_too_large"
  /** The token is missing, wrong, expired, or in the query. */
  | "unauthorized"
  /** The token is right, but its role may not do this; the message names the role that may. */
  | "forbidden"
  /** The route, event or entry does not exist. */
  | "not_found"
  /** The route exists with another method. */
  | "method_not_allowed"
  /** A parameter or a body of the API is wrong; the message names the field. */
  | "invalid_request"
  /** The state does not allow the call, for example a discard of a record that is being delivered. */
  | "conflict"
  /** Delivery is paused. */
  | "paused"
  /** Another delivery holds the record. QStash retries. */
  | "leased"
  /** At least one record of the message is not delivered yet. QStash retries. */
  | "undelivered"
  /** Every record of the message has ended, and WorkOS refused at least one for good. */
  | "rejected"
  /** Another system did not answer, or gave an unusable answer. The same call may succeed later. */
  | "unavailable"
  /** QStash did not accept the message. */
  | "queue_unreachable"
  /** A route with assurance `required` was refused, because its record could not be stored. */
  | "audit_unavailable"
  /** A route with `"unreadable": "refuse"` refused a request, because its body could not be read for the audit log. */
  | "unreadable_body"
  /** A local port is in use. */
  | "port_taken"
  /** Another process has the database open. */
  | "database_in_use"
  /** A database cannot be opened. */
  | "database_unreadable"
  /** Something took longer than its limit. */
  | "timeout"
  /** Any other error. */
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

/** Makes the RFC 9457 body of an error response. */
export function problem(status: number, code: ErrorCode, title: string, detail: string): Problem {
  return { type: "about:blank", title, status, code, detail };
}
