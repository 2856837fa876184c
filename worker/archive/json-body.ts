/** Reads a JSON body no further than the limit. Throws `invalid_request` or `payload_too_large`. */
import { AuditError } from "../../shared/errors.ts";
import { readBounded } from "../http/body.ts";
import { parseJson } from "../parse-json.ts";

/** Largest body of an admin request. Our choice: 10,000 event ids or 1,000 entries to import fit. */
const BODY_MAX_BYTES = 5_000_000;

/** The body as JSON, at most 5 MB. */
export async function readJson(request: Request): Promise<unknown> {
  const text = await readText(request);
  const json = parseJson(text);
  if (json === undefined) throw new AuditError("invalid_request", "the body must be JSON");
  return json;
}

/** The body as text, at most 5 MB. */
export async function readText(request: Request): Promise<string> {
  const bytes = await readBounded(request, BODY_MAX_BYTES);
  if (!bytes) throw new AuditError("payload_too_large", "the body must be at most 5 MB");
  return new TextDecoder().decode(bytes);
}
