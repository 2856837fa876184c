/** Who calls: decided from the headers alone, before a byte of the body is read. */
import { AuditError, type ErrorCode } from "../../shared/errors.ts";
import type { Settings } from "../variables.ts";

/** A call that is refused because of who calls; `reason` is what refusals are counted by. */
export class RefusedCall extends AuditError {
  readonly reason: string;
  /** It names QStash as its sender, whether or not QStash sent it. */
  readonly looksLikeQstash: boolean;

  constructor(code: ErrorCode, message: string, reason: string, looksLikeQstash = false) {
    super(code, message);
    this.reason = reason;
    this.looksLikeQstash = looksLikeQstash;
  }
}

/** A caller whose headers are right. */
export interface Caller {
  /** The operator's name; empty for machines. */
  readonly operator: string;
  /** Checks the body of a signed request. Throws `invalid_signature` if it is not the one that was signed. */
  readonly checkBody?: (body: Uint8Array) => Promise<void>;
}

/** What the check of a caller needs besides the request. */
export interface CallerPorts {
  /** The route's path, which QStash's signature names. */
  readonly path: string;
  readonly settings: Settings;
  readonly nowMs: number;
}
