/** What the policy stores of a request, and what selectors can read once its bodies have arrived. */
import { compact } from "../shared/compact.ts";
import type { AuditRecord } from "../shared/record.ts";
import { firstNames } from "../shared/shape.ts";
import { type Body, type BodyMarks, type BodyReader, marksOf } from "./body.ts";
import type { GatewayContext, GatewayRequest } from "./gateway.ts";
import { filled } from "./meaning.ts";
import type { RoutePlan } from "./plan.ts";
import { type Ports, within } from "./ports.ts";
import type { Seen } from "./selector.ts";

/** The event id of a record, and its number among the records of its isolate. */
export interface Identity {
  readonly id: string;
  readonly sequence: number;
}

/** What the policy stores of a request until it makes the records. It holds only references, so it costs the caller no time. */
export interface Capture {
  /** Returns the event id of the request's first record. Mints it on the first call. */
  readonly id: () => string;
  /** Returns the same identity for the same part of the request. The first part that asks for one gets the request's own event id. */
  identify(place: string): Identity;
  /** True once a record of any stage was made. */
  isIdentified(): boolean;
  /** Reserves the sequence number of a later record, so that a lost record leaves a gap. Does nothing if a record was already made. */
  reserve(): void;
  readonly parentId?: string | undefined;
  readonly startedMs: number;
  readonly plan: RoutePlan;
  /** The request as the policy received it, with the caller's URL, headers and parameters. */
  readonly request: GatewayRequest;
  readonly context: GatewayContext;
  readonly body: BodyReader | undefined;
}

/** How the request ended, as far as the gateway lets us see. */
export interface Ending {
  readonly endedMs: number;
  readonly status: number;
  readonly statusSource?: "before_sending_hooks" | undefined;
  readonly headers: Headers;
  /** The user on the last request object of the chain: authentication may have replaced the first object. */
  readonly user: unknown;
  readonly body: BodyReader | undefined;
  /** Number of refused requests of a stranger that the record counts. */
  readonly requestCount?: number;
}

/** Longest wait for a request's body, or for the user's code, before a record is made without it. Our choice. */
export const PATIENCE_MS = 2_000;
/** Longest wait for a response's body, below the 30 s that Cloudflare allows after a response. */
const RESPONSE_PATIENCE_MS = 25_000;

interface Looked {
  readonly seen: Seen;
  readonly marks: readonly BodyMarks[];
}

/** Waits for the copied bodies, within limits, and returns the input of selectors. Never rejects. */
export async function lookAt(
  { request, plan, body: given }: Capture,
  ending: Ending | undefined,
  ports: Pick<Ports, "timer">,
): Promise<Looked> {
  const { method, params, headers } = request;
  const { user } = ending ?? request;
  const body = await bodyWithin(ports, PATIENCE_MS, given);
  const responseBody = await bodyWithin(ports, RESPONSE_PATIENCE_MS, ending?.body);
  let query: URLSearchParams | undefined;
  const seen: Seen = {
    method,
    user,
    params,
    // Parsed on demand, because few routes select from it.
    get query() {
      return (query ??= new URL(request.url).searchParams);
    },
    headers,
    body: body.value,
    bodyFault: body.fault,
    response: ending && { ...ending, body: responseBody.value, bodyFault: responseBody.fault },
  };
  // A preset detects a refusal by its status, and the body of a refusal is rarely JSON.
  const isNeeded = (ending?.status ?? 0) < 400 || plan.selectors.some(({ root }) => root === "response.body");
  const marks = [marksOf("body", body), ...(isNeeded ? [marksOf("response.body", responseBody)] : [])];
  return { seen, marks };
}

async function bodyWithin(ports: Pick<Ports, "timer">, ms: number, read: BodyReader | undefined): Promise<Body> {
  if (!read) return {};
  return (await within(ports, ms, read())) ?? { fault: "unread" };
}

/** Marks in a record what could not be read of the bodies. Runs last, because the marks are not text from outside. */
export function markBodies(record: AuditRecord, marks: readonly BodyMarks[]): AuditRecord {
  const missing = [...new Set([...(record.missing ?? []), ...marks.flatMap((mark) => mark.missing)])];
  const truncated = [...(record.truncated ?? []), ...marks.flatMap((mark) => mark.truncated)];
  return compact({
    ...record,
    metadata: filled(Object.assign({}, record.metadata, ...marks.map(({ metadata }) => metadata))),
    missing: filled(firstNames(missing)),
    truncated: filled(firstNames(truncated)),
  });
}
