/** Entry of the built module: the policy on Zuplo's runtime. */
import { environment } from "@zuplo/runtime";
import { makePolicy, type Watched } from "./policy.ts";
import { webPorts } from "./ports.ts";
import type { AuditLogCode } from "./public-types.ts";

const WATCHED = Symbol.for("audit-forwarder.watched");

/** Global, because a project may hold this module twice. */
const shared = globalThis as unknown as { [WATCHED]?: Watched };
const watched = (shared[WATCHED] ??= new WeakMap());

/** The policy with the user's own code. */
export function createAuditLog(code: AuditLogCode = {}) {
  return makePolicy(webPorts(), environment, code, watched);
}

export const auditLog = createAuditLog();
