/** The body of an operator's request as JSON. */
import { AuditError } from "../../shared/errors.ts";
import { parseJson } from "../json.ts";

/** Largest body of an operator's request. Our choice: it fits 10,000 event ids or 1,000 entries to import. */
export const OPERATOR_BODY_MAX_BYTES = 5_000_000;

/** Parses a body. Throws `invalid_request` if it is not JSON. */
export function jsonOf(body: Uint8Array): unknown {
  const json = parseJson(new TextDecoder().decode(body));
  if (json === undefined) throw new AuditError("invalid_request", "the body must be JSON");
  return json;
}
