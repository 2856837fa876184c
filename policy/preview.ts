/** Makes the records of one described request with the policy's own code, without a gateway; the CLI runs it in a separate process. */
import type { AuditRecord } from "../shared/record.ts";
import { type BodyReader, copyRequest } from "./body.ts";
import type { GatewayContext, GatewayRequest } from "./gateway.ts";
import { configurePolicy, makeIsolate } from "./configured-policy.ts";
import { type Capture, type Ending, lookAt } from "./capture.ts";
import { copyAnswer } from "./event-stream.ts";
import { makeRecords } from "./request-records.ts";
import { webPorts } from "./ports.ts";
import { partsOf } from "./request-parts.ts";

interface PreviewInput {
  /** Options of the policy's entry, with variables resolved. */
  readonly options: unknown;
  readonly route: {
    /** The pattern, such as `/v1/members/{id}`. */
    readonly path: string;
    readonly operationId?: unknown;
    readonly xAudit?: unknown;
    readonly handler?: unknown;
  };
  readonly call: {
    readonly method: string;
    /** The path as the caller sends it; default the pattern. */
    readonly path?: string;
    /** Without the question mark. */
    readonly query?: string;
    readonly headers?: readonly (readonly [string, string])[];
    readonly body?: string;
    readonly user?: unknown;
    /** Default 200. */
    readonly status?: number;
    readonly response?: string;
    /** Default `application/json`. */
    readonly responseType?: string;
  };
}

interface Preview {
  readonly records: readonly AuditRecord[];
  /** Selectors of all records that did not resolve. */
  readonly missing: readonly string[];
  /** Why there is no record. */
  readonly skipped?: string;
  /** The lines that the policy would log. */
  readonly problems: readonly string[];
}

const ORIGIN = "https://gateway.invalid";

/** Makes the records of a described request. Throws a TypeError for a path, header or method that is invalid in a request. */
export async function preview({ options, route, call }: PreviewInput): Promise<Preview> {
  const problems: string[] = [];
  const log = {
    warn: (line: unknown) => void problems.push(String(line)),
    error: (line: unknown) => void problems.push(String(line)),
  };
  const ports = webPorts();
  const isolate = makeIsolate(ports);
  const policy = configurePolicy(options, { ports, environment: {}, isolate, code: {} }, log);
  const context = contextOf(route, log);
  const plan = policy.planOf(context);
  const request = requestOf(route.path, call);
  const settings = { limitBytes: policy.options.bodyLimitBytes, ports };
  const body = plan.body ? copyRequest(request, false, settings) : undefined;
  const capture: Capture = { ...isolate.mint(), plan, request, context, body };
  const ending = endingOf(call, (answer) => copyAnswer(answer, plan.preset, body, settings));
  const skipped = plan.skip === false ? undefined : reasonOf(plan.skip);
  const records = skipped === undefined ? await makeRecords(capture, "outcome", ending, policy.recordSettings) : [];
  const reasons = partsOf(plan, (await lookAt(capture, ending, ports)).seen).skipped.map(({ reason }) =>
    reasonOf(reason),
  );
  const reason = skipped ?? (records.length === 0 ? (reasons[0] ?? "no reason given") : undefined);
  return {
    records,
    missing: [...new Set(records.flatMap(({ missing }) => missing ?? []))],
    ...(reason === undefined ? {} : { skipped: reason }),
    problems,
  };
}

function reasonOf(skip: string | boolean): string {
  return typeof skip === "string" && skip !== "" ? skip : "no reason given";
}

function contextOf(
  { path, operationId, xAudit, handler }: PreviewInput["route"],
  log: GatewayContext["log"],
): GatewayContext {
  const operation = { operationId, "x-audit": xAudit, "x-zuplo-route": { handler } };
  return {
    requestId: "",
    log,
    route: { path, raw: () => operation },
    waitUntil: () => undefined,
    addResponseSendingFinalHook: () => undefined,
  };
}

function requestOf(pattern: string, call: PreviewInput["call"]): GatewayRequest {
  const path = call.path ?? pattern;
  const method = call.method.toUpperCase();
  const url = `${ORIGIN}${path}${call.query ? `?${call.query}` : ""}`;
  const headers = new Headers(call.headers?.map(([name, value]) => [name, value]));
  if (call.body !== undefined && !headers.has("content-type")) headers.set("content-type", "application/json");
  // GET and HEAD have no body, as on the gateway.
  const hasBody = call.body !== undefined && method !== "GET" && method !== "HEAD";
  const request = new Request(url, { method, headers, ...(hasBody ? { body: call.body } : {}) });
  return Object.assign(request, {
    user: call.user,
    params: paramsOf(pattern, path),
    query: Object.fromEntries(new URL(url).searchParams),
  }) as GatewayRequest;
}

/** The values of `{name}` and `:name` in the pattern, percent-encoded as in the path; empty if the path does not match. */
function paramsOf(pattern: string, path: string): Readonly<Record<string, string>> {
  const names: string[] = [];
  const source = pattern.split(/(\{[^{}]+\}|:\w+)/).map((part, i) => {
    if (i % 2 === 0) return part.replaceAll(/[$()*+.?[\\\]^{|}]/g, "\\$&");
    names.push(part.replaceAll(/[{}:]/g, ""));
    return "([^/]+)";
  });
  const [, ...values] = new RegExp(`^${source.join("")}$`).exec(path) ?? [];
  return Object.fromEntries(names.flatMap((name, i) => (values[i] === undefined ? [] : [[name, values[i]] as const])));
}

/** Statuses whose responses have no body. https://fetch.spec.whatwg.org/#null-body-status */
const WITHOUT_BODY = [101, 204, 205, 304];

function endingOf(
  { status = 200, response, responseType = "application/json", user }: PreviewInput["call"],
  copy: (answer: Response) => BodyReader | undefined,
): Ending {
  const hasBody = response !== undefined && !WITHOUT_BODY.includes(status);
  const headers = new Headers(hasBody ? { "content-type": responseType } : {});
  const answer = hasBody ? new Response(response, { headers }) : undefined;
  const body = answer && copy(answer);
  return { endedMs: Date.now(), status, headers, user, body };
}
