/** A request that QStash signed. The token is checked first; it names the hash of the body, which is checked once the body is read. */
import { checkBody, checkToken, namesQstash, type RefusalReason } from "../signature.ts";
import { NOBODY, RefusedCall, type Caller, type CallerPorts } from "./caller.ts";

/** Throws `invalid_signature` unless QStash signed a call to this route. */
export async function qstashCaller(request: Request, { path, settings, nowMs }: CallerPorts): Promise<Caller> {
  const token = request.headers.get("upstash-signature");
  const checked = await checkToken(token, path, request.url, settings, nowMs);
  if (checked.kind === "refused") throw refusal(checked, token);
  return {
    operator: NOBODY,
    async checkBody(body) {
      const refused = await checkBody(checked.bodyHash, body);
      if (refused) throw refusal(refused, token);
    },
  };
}

function refusal(
  { reason, detail }: { readonly reason: RefusalReason; readonly detail: string },
  token: string | null,
) {
  return new RefusedCall("invalid_signature", detail, reason, namesQstash(token));
}
