/** The policy that Zuplo calls for each request. It never throws, and it changes neither the request nor the response. */
import { type Problem, problem } from "../shared/errors.ts";
import type { GatewayContext, GatewayEnvironment, GatewayRequest } from "./gateway.ts";
import { type ConfiguredPolicy, type Isolate, configurePolicy, makeIsolate } from "./configured-policy.ts";
import { beginRequest, intend, isReadable, watch } from "./watched-request.ts";
import type { Ports } from "./ports.ts";
import type { AuditLogCode } from "./public-types.ts";

export type Policy = (
  request: GatewayRequest,
  context: GatewayContext,
  options: unknown,
  policyName: string,
) => Promise<GatewayRequest | Response>;

/** Seconds after which a refused caller may retry: as long as a circuit's first pause. Our choice. */
const RETRY_AFTER_SECONDS = 2;

/**
 * The requests of an isolate that already have a policy, by their context. All policies of the isolate share it, so that a request
 * leaves one record even if its route runs two modules.
 */
export type RequestRegistry = WeakMap<object, { readonly eventId: () => string }>;

/** Makes the policy for one isolate. Policies share only `registry`. */
export function makePolicy(
  ports: Ports,
  environment: GatewayEnvironment,
  code: AuditLogCode = {},
  registry: RequestRegistry = new WeakMap(),
): Policy {
  const configured = new WeakMap<object, ConfiguredPolicy>();
  let isolate: Isolate | undefined;

  function policyOf(options: unknown, context: GatewayContext): ConfiguredPolicy {
    const key = typeof options === "object" && options !== null ? options : NO_OPTIONS;
    isolate ??= makeIsolate(ports);
    const policy = configured.get(key) ?? configurePolicy(options, { ports, environment, isolate, code }, context.log);
    configured.set(key, policy);
    return policy;
  }

  function parentIdOf(context: GatewayContext): string | undefined {
    for (let parent = context.parentContext; parent; parent = parent.parentContext) {
      const found = registry.get(parent);
      if (found) return found.eventId();
    }
    return undefined;
  }

  return async (request, context, options) => {
    let required = false;
    try {
      const policy = policyOf(options, context);
      const plan = policy.planOf(context);
      // If the policy is on a route twice, the second one must not make a second record.
      if (plan.skip !== false || registry.has(context)) return request;
      required = plan.assurance === "required";
      if (required && !policy.sound) return unavailable("the audit log is not configured");
      if (!policy.usable) return request;
      const one = beginRequest({ request, context, plan, parentId: parentIdOf(context) }, policy, ports);
      registry.set(context, { eventId: one.capture.id });
      const readable = await isReadable(one);
      const intended = required && readable && (await intend(one));
      watch(one, intended);
      if (!readable) return unreadable();
      return required && !intended ? unavailable() : request;
    } catch (error) {
      context.log.error(`audit-log: ${String(error)}`);
      return required ? unavailable() : request;
    }
  };
}

const NO_OPTIONS = {};

function unavailable(detail = "the audit log cannot take this request now"): Response {
  const body = problem(503, "audit_unavailable", "Service Unavailable", detail);
  return problemResponse(body, { "retry-after": String(RETRY_AFTER_SECONDS) });
}

function unreadable(): Response {
  const detail = 'the "body" cannot be read for the audit log; send JSON or a form within the size limit';
  return problemResponse(problem(422, "unreadable_body", "Unprocessable Content", detail));
}

function problemResponse(body: Problem, headers: Readonly<Record<string, string>> = {}): Response {
  const all = { "content-type": "application/problem+json", ...headers };
  return new Response(JSON.stringify(body), { status: body.status, headers: all });
}
