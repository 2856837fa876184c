/** Who calls: decided from the headers alone, before a byte of the body is read. */
import type { Settings } from "../variables.ts";

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
