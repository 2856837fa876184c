/** Identifies the caller from the headers alone, before the body is read. */
import { roleAllows, type Role } from "../../shared/access-tokens.ts";
import { AuditError, type ErrorCode } from "../../shared/errors.ts";
import type { Settings } from "../variables.ts";

/** A call refused because of its caller; refusals are counted by `reason`. */
export class RefusedCall extends AuditError {
  readonly reason: string;
  /** True if the call names QStash as its sender, whether or not QStash sent it. */
  readonly looksLikeQstash: boolean;

  constructor(code: ErrorCode, message: string, reason: string, looksLikeQstash = false) {
    super(code, message);
    this.reason = reason;
    this.looksLikeQstash = looksLikeQstash;
  }
}

/** A person or a program with a token. */
export interface Operator {
  /** The name in receipts and audit events; empty for machines. */
  readonly name: string;
  readonly role: Role;
}

/** The caller of a route that is not for operators. */
export const NOBODY: Operator = { name: "", role: "read" };

/** The reason for refusing an operator whose role is too low. */
export const ROLE_TOO_LOW = "role_too_low";

/** Throws `forbidden` unless the operator has the role `needed` or a higher one; `what` names the action that needs it. */
export function demandRole({ role }: Operator, needed: Role, what = "this"): void {
  if (roleAllows(role, needed)) return;
  throw new RefusedCall("forbidden", `${what} needs the role "${needed}"; your role is "${role}"`, ROLE_TOO_LOW);
}

/** A caller whose headers are right. */
export interface Caller {
  readonly operator: Operator;
  /** Checks the body of a signed request. Throws `invalid_signature` if the signature covers another body. */
  readonly checkBody?: (body: Uint8Array) => Promise<void>;
}

/** What the check of a caller needs besides the request. */
export interface CallerPorts {
  /** The route's path, which QStash's signature names. */
  readonly path: string;
  readonly settings: Settings;
  readonly nowMs: number;
}
