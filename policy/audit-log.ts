/** Entry of the built module: the policy on Zuplo's runtime. */
import { environment } from "@zuplo/runtime";
import { makePolicy } from "./policy.ts";
import { webPorts } from "./ports.ts";
import type { AuditLogCode } from "./public-types.ts";

/** The policy with the user's own code. */
export function createAuditLog(code: AuditLogCode = {}) {
  return makePolicy(webPorts(), environment, code);
}

export const auditLog = createAuditLog();
