/** Entry of the built module: the policy for Zuplo's runtime. */
import { environment } from "@zuplo/runtime";
import { makePolicy, type RequestRegistry } from "./policy.ts";
import { webPorts } from "./ports.ts";
import type { AuditLogCode } from "./public-types.ts";

const REGISTRY = Symbol.for("audit-forwarder.requests");

/** Global, because a project may hold this module twice. */
const shared = globalThis as unknown as { [REGISTRY]?: RequestRegistry };
const registry = (shared[REGISTRY] ??= new WeakMap());

/**
 * Makes the policy with your own code, for requests that selectors cannot describe.
 *
 * @example
 * export const auditLog = createAuditLog({
 *   describe: ({ context }) => ({ metadata: { rows: Number(context.custom["rows"] ?? 0) } }),
 * });
 */
export function createAuditLog(code: AuditLogCode = {}) {
  return makePolicy(webPorts(), environment, code, registry);
}

export const auditLog = createAuditLog();
