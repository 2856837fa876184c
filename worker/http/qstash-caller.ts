/** A request that QStash signed. The token is checked first; it names the hash of the body, which is checked once that is read. */
import { AuditError } from "../../shared/errors.ts";
import { checkBody, checkToken } from "../signature.ts";
import type { Caller, CallerPorts } from "./caller.ts";

/** Throws `invalid_signature` unless QStash signed a call to this route. */
export async function qstashCaller(request: Request, { path, settings, nowMs }: CallerPorts): Promise<Caller> {
  const token = request.headers.get("upstash-signature");
  const checked = await checkToken(token, path, request.url, settings, nowMs);
  if (checked.kind === "refused") throw new AuditError("invalid_signature", checked.detail);
  return {
    operator: "",
    async checkBody(body) {
      const refusal = await checkBody(checked.bodyHash, body);
      if (refusal) throw new AuditError("invalid_signature", refusal.detail);
    },
  };
}
