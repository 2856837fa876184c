/** Takes a signed request of QStash: its size first, then its signature, and only then its content. */
import { AuditError } from "../../shared/errors.ts";
import { signingKeys, verifySignature } from "../signature.ts";
import { problemAnswer } from "./answers.ts";
import { readBounded } from "./body.ts";
import type { Context } from "./router.ts";

/** The body of a request that QStash signed for `path`, or the refusal (413 `payload_too_large`, 401 `invalid_signature`). */
export async function readSigned(
  { request, settings }: Pick<Context, "request" | "settings">,
  path: string,
  maxBytes: number,
): Promise<Uint8Array | Response> {
  const body = await readBounded(request, maxBytes);
  if (!body) {
    return problemAnswer(413, "payload_too_large", "Too large", `the body must be at most ${maxBytes} bytes`);
  }
  const token = request.headers.get("upstash-signature");
  try {
    const url = `${settings.AUDIT_WORKER_URL}${path}`;
    await verifySignature({ token, body, url }, signingKeys(settings, request.url), Date.now());
    return body;
  } catch (error) {
    const detail = error instanceof AuditError ? error.message : "the signature cannot be checked";
    return problemAnswer(401, "invalid_signature", "Unauthorized", detail);
  }
}
