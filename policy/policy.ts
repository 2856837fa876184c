/** The policy itself: what Zuplo calls for each request. It never throws, and changes nothing of the request or the answer. */
import { problem } from "../shared/errors.ts";
import type { GatewayContext, GatewayEnvironment, GatewayRequest } from "./gateway.ts";
import { type Instance, type Isolate, makeInstance, makeIsolate } from "./instance.ts";
import { beginRequest, intend, type LiveRequest, watch } from "./live.ts";
import type { Ports } from "./ports.ts";
import type { AuditLogCode } from "./public-types.ts";

export type Policy = (
  request: GatewayRequest,
  context: GatewayContext,
  options: unknown,
  policyName: string,
) => Promise<GatewayRequest | Response>;

/** Seconds after which a refused caller may try again: as long as a circuit's first pause. Our choice. */
const RETRY_AFTER_SECONDS = 2;

/** Makes the policy for one isolate; all its state is in here, so that two of them share nothing. */
export function makePolicy(ports: Ports, environment: GatewayEnvironment, code: AuditLogCode = {}): Policy {
  const instances = new WeakMap<object, Instance>();
  const live = new WeakMap<object, LiveRequest>();
  let isolate: Isolate | undefined;

  function instanceOf(options: unknown, context: GatewayContext): Instance {
    const key = typeof options === "object" && options !== null ? options : NO_OPTIONS;
    isolate ??= makeIsolate(ports);
    const instance = instances.get(key) ?? makeInstance(options, { ports, environment, isolate, code }, context.log);
    instances.set(key, instance);
    return instance;
  }

  function parentIdOf(context: GatewayContext): string | undefined {
    for (let parent = context.parentContext; parent; parent = parent.parentContext) {
      const found = live.get(parent);
      if (found) return found.capture.id();
    }
    return undefined;
  }

  return async (request, context, options) => {
    let required = false;
    try {
      const instance = instanceOf(options, context);
      const plan = instance.planOf(context);
      // A second entry of the policy in one chain must not make a second record.
      if (plan.skip !== false || live.has(context)) return request;
      required = plan.assurance === "required";
      if (required && !instance.sound) return refusal("the audit log is not configured");
      if (!instance.usable) return request;
      const one = beginRequest(request, context, instance, parentIdOf(context), ports);
      live.set(context, one);
      const intended = required && (await intend(one));
      watch(one, intended);
      return required && !intended ? refusal() : request;
    } catch (error) {
      context.log.error(`audit-log: ${String(error)}`);
      return required ? refusal() : request;
    }
  };
}

const NO_OPTIONS = {};

function refusal(detail = "the audit log cannot take this request now"): Response {
  const body = problem(503, "audit_unavailable", "Service Unavailable", detail);
  return new Response(JSON.stringify(body), {
    status: 503,
    headers: { "content-type": "application/problem+json", "retry-after": String(RETRY_AFTER_SECONDS) },
  });
}
