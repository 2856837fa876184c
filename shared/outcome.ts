/** The outcome table: what one answer of WorkOS means for one record. Pure; an unknown failure is a retry. */
import { RETRY_AFTER_MAX_MS } from "./limits.ts";

/** What came back from one request to WorkOS. `json` is undefined where the body is not JSON. */
export type Answer =
  | { readonly kind: "response"; readonly status: number; readonly json?: unknown; readonly retryAfter?: string | null }
  | { readonly kind: "timeout" }
  | { readonly kind: "network" }
  /** Nothing was sent at all, such as a missing variable. */
  | { readonly kind: "not_sent" };

export type Outcome =
  | { readonly kind: "delivered"; readonly wrote: "yes" }
  | { readonly kind: "retry"; readonly wrote: "no" | "maybe"; readonly reason: string; readonly retryAfterMs?: number }
  | { readonly kind: "reject"; readonly wrote: "no"; readonly reason: string }
  | { readonly kind: "pause"; readonly wrote: "no"; readonly reason: string };

const REJECTED = new Set([400, 404, 413, 422]);
const WRONG_CREDENTIAL = new Set([401, 403]);

/** Classifies one answer; `nowMs` is needed only to read a `Retry-After` date. */
export function outcomeOf(answer: Answer, nowMs: number): Outcome {
  if (answer.kind === "not_sent") return { kind: "retry", wrote: "no", reason: "not_sent" };
  if (answer.kind !== "response") return { kind: "retry", wrote: "maybe", reason: answer.kind };
  const { status } = answer;
  if (status >= 200 && status < 300) return success(answer.json);
  if (REJECTED.has(status)) return { kind: "reject", wrote: "no", reason: `http_${status}` };
  if (WRONG_CREDENTIAL.has(status)) return { kind: "pause", wrote: "no", reason: `http_${status}` };
  const retryAfterMs = parseRetryAfter(answer.retryAfter, nowMs);
  return {
    kind: "retry",
    wrote: status === 429 ? "no" : "maybe",
    reason: `http_${status}`,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

function success(json: unknown): Outcome {
  if (typeof json !== "object" || json === null) return { kind: "retry", wrote: "maybe", reason: "unreadable_success" };
  if ("success" in json && json.success === false) return { kind: "retry", wrote: "maybe", reason: "success_false" };
  return { kind: "delivered", wrote: "yes" };
}

/** Reads `Retry-After` as seconds or an HTTP date (RFC 9110, section 10.2.3); ms from now, 0 to one day, or undefined. */
export function parseRetryAfter(value: string | null | undefined, nowMs: number): number | undefined {
  if (!value) return undefined;
  const text = value.trim();
  const ms = /^\d+(\.\d+)?$/.test(text) ? Number(text) * 1000 : Date.parse(text) - nowMs;
  if (Number.isNaN(ms) || (!/^\d/.test(text) && !/[A-Za-z]{3}/.test(text))) return undefined;
  return Math.min(Math.max(Math.ceil(ms), 0), RETRY_AFTER_MAX_MS);
}
