/** Takes a signed request of QStash: its size first, then its signature, and only then its content. */
import { checkBody, checkToken } from "../signature.ts";
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
  const checked = await checkToken(token, path, request.url, settings, Date.now());
  const refusal = checked.kind === "signed" ? await checkBody(checked.bodyHash, body) : checked;
  return refusal ? problemAnswer(401, "invalid_signature", "Unauthorized", refusal.detail) : body;
}
