/**
 * The path of every request: route, caller, body, handler, and errors as problem documents. Refusing is cheap: the headers decide
 * first, then the body is read up to the route's limit, and only then checked and parsed.
 */
import type { Role } from "../../shared/access-tokens.ts";
import { AuditError } from "../../shared/errors.ts";
import type { Env } from "../env.ts";
import { parseSettings } from "../variables.ts";
import { logFailure } from "../log.ts";
import { readBounded } from "./body.ts";
import { demandRole, NOBODY, type Caller, type CallerPorts } from "./caller.ts";
import { problemOf, unavailable } from "./problem.ts";
import { qstashCaller } from "./qstash-caller.ts";
import type { Access, Route, RouteContext } from "./route.ts";
import { compileRoutes, matchRoute } from "./router.ts";
import { tokenCaller } from "./token-caller.ts";
import { webhookCaller } from "./webhook-caller.ts";

const NO_BODY = new Uint8Array();

/** How to check each kind of caller. */
const CALLERS: Readonly<Record<Access, (request: Request, ports: CallerPorts) => Promise<Caller> | Caller>> = {
  anyone: () => ({ operator: NOBODY }),
  qstash: qstashCaller,
  webhook: webhookCaller,
  read: withRole("read"),
  operate: withRole("operate"),
  admin: withRole("admin"),
};

/** An operator with at least this role. */
function withRole(needed: Role) {
  return async (request: Request, ports: CallerPorts): Promise<Caller> => {
    const caller = await tokenCaller(request, ports);
    demandRole(caller.operator, needed);
    return caller;
  };
}

/** A refused call, for counting. */
export interface Refusal {
  readonly path: string;
  readonly access: Access;
  readonly error: AuditError;
}

/** Called for each refusal; must not throw. */
export type RefusalPort = (refusal: Refusal, env: Env, execution: ExecutionContext) => void;

type Handle = (request: Request, env: Env, execution: ExecutionContext) => Promise<Response>;

/** Called for each call that was not refused; throws if this worker must not serve it. */
type AdmissionPort = (env: Env) => Promise<void>;

/** Makes the worker's `fetch` handler from a table of routes. It never throws. */
export function pipeline(
  routes: readonly Route[],
  refused: RefusalPort,
  admit: AdmissionPort = () => Promise.resolve(),
): Handle {
  const compiled = compileRoutes(routes);
  return async (request, env, execution) => {
    const url = new URL(request.url);
    const match = matchRoute(compiled, request.method, url);
    if ("refusal" in match) return match.refusal;
    const { route, params } = match;
    try {
      const later = (work: Promise<unknown>) => execution.waitUntil(work);
      return await serve(route, { request, url, params, env, later }, admit);
    } catch (error) {
      const problem = problemOf(error);
      if (problem && error instanceof AuditError)
        refused({ path: route.path, access: route.access, error }, env, execution);
      if (problem) return problem;
      logFailure({ route: route.path }, error);
      return unavailable();
    }
  };
}

interface Matched {
  readonly request: Request;
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
  readonly env: Env;
  readonly later: RouteContext["later"];
}

async function serve(route: Route, matched: Matched, admit: AdmissionPort): Promise<Response> {
  const { request, env } = matched;
  const parsed = parseSettings(env);
  // A retry, never a loss: QStash keeps the message for its whole schedule, which a "retry-after" would shorten.
  if (!parsed.ok) throw notConfigured(parsed.missing, parsed.malformed);
  const { settings } = parsed;
  if (isDeclaredTooLarge(request, route)) throw tooLarge(route);
  const receivedMs = env.clock.now();
  const caller = await CALLERS[route.access](request, { path: route.path, settings, nowMs: receivedMs });
  const body = await bodyOf(request, route);
  await caller.checkBody?.(body);
  await admit(env);
  return route.handle({ ...matched, settings, operator: caller.operator, receivedMs, body });
}

function isDeclaredTooLarge(request: Request, { bodyMaxBytes = Infinity }: Route): boolean {
  return Number(request.headers.get("content-length")) > bodyMaxBytes;
}

async function bodyOf(request: Request, route: Route): Promise<Uint8Array> {
  if (route.bodyMaxBytes === undefined) return NO_BODY;
  const body = await readBounded(request, route.bodyMaxBytes);
  if (!body) throw tooLarge(route);
  return body;
}

function tooLarge({ bodyMaxBytes }: Route): AuditError {
  return new AuditError("payload_too_large", `the body must be at most ${bodyMaxBytes} bytes`);
}

function notConfigured(missing: readonly string[], malformed: readonly string[]): AuditError {
  const parts = [
    ...(missing.length > 0 ? [`missing: ${missing.join(", ")}`] : []),
    ...(malformed.length > 0 ? [`malformed: ${malformed.join(", ")}`] : []),
  ];
  const code = missing.length > 0 ? "missing_variable" : "invalid_variable";
  return new AuditError(code, `variables ${parts.join("; ")}`);
}
