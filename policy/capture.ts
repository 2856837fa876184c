/** What was kept of a request, and what can be seen of it once its bodies have arrived. */
import { compact } from "../shared/compact.ts";
import type { AuditRecord } from "../shared/record.ts";
import { firstNames } from "../shared/shape.ts";
import { type Body, type BodyMarks, type BodyReader, marksOf } from "./body.ts";
import type { GatewayContext, GatewayRequest } from "./gateway.ts";
import { filled } from "./meaning.ts";
import type { Plan } from "./plan.ts";
import { type Ports, within } from "./ports.ts";
import type { Seen } from "./selector.ts";

/** The event id of a record, and its number among the records of its isolate. */
export interface Identity {
  readonly id: string;
  readonly sequence: number;
}

/** What was kept of a request until its records are made: references only, so that keeping it costs the caller nothing. */
export interface Capture {
  /** The event id of the request's first record, minted when it is first asked for: that, too, costs the caller nothing. */
  readonly id: () => string;
  /** The same for the same part of the request; the first that is asked for has the request's own event id. */
  identify(place: string): Identity;
  /** True once a record was made, for whatever stage. */
  isIdentified(): boolean;
  /** Takes the number of a record that is made later, so that its loss shows as a gap. */
  reserve(): void;
  readonly parentId?: string | undefined;
  readonly startedMs: number;
  readonly plan: Plan;
  /** The request as the policy got it: its URL, headers and parameters are the caller's. */
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
  /** The user of the last request object of the chain: authentication may have replaced the first. */
  readonly user: unknown;
  readonly body: BodyReader | undefined;
  /** How many refused requests of a stranger the record counts. */
  readonly requestCount?: number;
}

/** Longest wait for a request's body, or for the user's code, before a record is made without it. Our choice. */
export const PATIENCE_MS = 2_000;
/** Longest wait for a response's body: below the 30 s that Cloudflare gives to what follows a response. */
const RESPONSE_PATIENCE_MS = 25_000;

interface Looked {
  readonly seen: Seen;
  readonly marks: readonly BodyMarks[];
}

/** Waits for the bodies that were copied, within limits, and gives what selectors choose from. Never rejects. */
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
    // Parsed only where it is needed, as few select from it.
    get query() {
      return (query ??= new URL(request.url).searchParams);
    },
    headers,
    body: body.value,
    bodyFault: body.fault,
    response: ending && { ...ending, body: responseBody.value, bodyFault: responseBody.fault },
  };
  // A preset needs no body of a refusal, which rarely is JSON, to know how it ended.
  const isNeeded = (ending?.status ?? 0) < 400 || plan.selectors.some(({ root }) => root === "response.body");
  const marks = [marksOf("body", body), ...(isNeeded ? [marksOf("response.body", responseBody)] : [])];
  return { seen, marks };
}

async function bodyWithin(ports: Pick<Ports, "timer">, ms: number, read: BodyReader | undefined): Promise<Body> {
  if (!read) return {};
  return (await within(ports, ms, read())) ?? { fault: "unread" };
}

/** Adds what the bodies could not tell to a record. Last, because none of it is text from outside. */
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
