/** The outcome table: what one answer of WorkOS means for one record. Pure; an unknown failure is a retry. */
import { RETRY_AFTER_MAX_MS } from "./limits.ts";

/** The result of one request to WorkOS. `json` is undefined if the body is not JSON. */
export type Answer =
  | { readonly kind: "response"; readonly status: number; readonly json?: unknown; readonly retryAfter?: string | null }
  | { readonly kind: "timeout" }
  | { readonly kind: "network" }
  /** Nothing was sent, for example because a variable is missing. */
  | { readonly kind: "not_sent" };

export type AttemptOutcome =
  | { readonly kind: "delivered"; readonly wrote: "yes" }
  | { readonly kind: "retry"; readonly wrote: "no" | "maybe"; readonly reason: string; readonly retryAfterMs?: number }
  | { readonly kind: "reject"; readonly wrote: "no"; readonly reason: string }
  | { readonly kind: "pause"; readonly wrote: "no"; readonly reason: string };

/**
 * What one answer says about WorkOS as a whole. `answered`: WorkOS itself refused this one event, so it is up. `failed`: a 5xx, a
 * 429, a timeout, no connection, or an answer that is not WorkOS's.
 */
export type Verdict = "delivered" | "answered" | "failed";

const REJECTED = new Set([400, 404, 413, 422]);
const WRONG_CREDENTIAL = new Set([401, 403]);
const OVERLOADED = new Set([408, 425, 429]);
/** One of these is in every JSON error of WorkOS. */
const ERROR_FIELDS = ["message", "code", "error", "errors"];

/**
 * Decides what one answer means for its record. `nowMs` is needed only to read a date in `Retry-After`.
 *
 * @example
 * outcomeOf({ kind: "response", status: 409 }, nowMs); // { kind: "retry", wrote: "maybe", reason: "http_409" }
 */
export function outcomeOf(answer: Answer, nowMs: number): AttemptOutcome {
  if (answer.kind === "not_sent") return { kind: "retry", wrote: "no", reason: "not_sent" };
  if (answer.kind !== "response") return { kind: "retry", wrote: "maybe", reason: answer.kind };
  const { status, json } = answer;
  if (isSuccess(status)) return success(json);
  const reason = `http_${status}`;
  const isDefinite = REJECTED.has(status) || WRONG_CREDENTIAL.has(status);
  if (isDefinite && isWorkosError(json)) {
    return { kind: REJECTED.has(status) ? "reject" : "pause", wrote: "no", reason };
  }
  const retryAfterMs = parseRetryAfter(answer.retryAfter, nowMs);
  return {
    kind: "retry",
    wrote: status === 429 ? "no" : "maybe",
    // A page of a firewall or a proxy: WorkOS has not judged the event.
    reason: isDefinite ? `${reason} not_workos` : reason,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

/** Returns what one answer says about WorkOS, or undefined if nothing was sent or the answer only concerns the API key. */
export function verdictOf(answer: Answer): Verdict | undefined {
  if (answer.kind === "not_sent") return undefined;
  if (answer.kind !== "response") return "failed";
  const { status, json } = answer;
  if (isSuccess(status)) return success(json).kind === "delivered" ? "delivered" : "failed";
  if (status >= 500 || OVERLOADED.has(status) || !isWorkosError(json)) return "failed";
  return WRONG_CREDENTIAL.has(status) ? undefined : "answered";
}

/** Returns true for a JSON error of WorkOS; a firewall or a proxy answers with something else. https://workos.com/docs/reference/errors */
function isWorkosError(json: unknown): boolean {
  return isObject(json) && ERROR_FIELDS.some((field) => field in json);
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300;
}

function success(json: unknown): AttemptOutcome {
  if (!isObject(json)) return { kind: "retry", wrote: "maybe", reason: "unreadable_success" };
  // A gateway in between can answer an error with status 200.
  const isFailure = "success" in json ? json["success"] !== true : isWorkosError(json);
  if (isFailure) return { kind: "retry", wrote: "maybe", reason: "success_false" };
  return { kind: "delivered", wrote: "yes" };
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/**
 * Reads `Retry-After`: seconds or an HTTP date (RFC 9110, section 10.2.3). Returns ms from now, 0 to one day, or undefined if it is
 * missing or unreadable.
 *
 * @example
 * parseRetryAfter("120", nowMs); // 120_000
 */
export function parseRetryAfter(value: string | null | undefined, nowMs: number): number | undefined {
  if (!value) return undefined;
  const text = value.trim();
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  if (Number.isNaN(ms) || (!/^\d/.test(text) && !/[A-Za-z]{3}/.test(text))) return undefined;
  return Math.min(Math.max(Math.ceil(ms), 0), RETRY_AFTER_MAX_MS);
}
