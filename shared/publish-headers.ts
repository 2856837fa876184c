/**
 * The headers of a publish to QStash, the same from the policy and from the worker's outbox, so that a message looks alike on
 * both paths. https://upstash.com/docs/qstash/api/publish
 */
import type { Stage } from "./record.ts";
import { DEFAULT_RETRIES, retryDelayExpression } from "./retry-horizon.ts";

/** Marks our messages; the sweep of QStash's dead-letter queue touches no others. */
export const QSTASH_LABEL = "audit-forwarder";
/** Pacing: WorkOS allows 100 requests/s for each API key. https://workos.com/docs/reference/rate-limits */
export const FLOW_RATE_PER_SECOND = 80;
/** Deliveries at the same time; WorkOS answers in about 100 ms, so this is about the rate above. Our choice. */
export const FLOW_PARALLELISM = 10;
/** How long QStash waits for one delivery: longer than the worker's lease of 30 s. Our choice. */
export const DELIVERY_TIMEOUT_SECONDS = 60;
/** An intent waits this long, so that the outcome of the same request comes first. Our choice. */
export const INTENT_DELAY_SECONDS = 120;
/** A watchdog's record waits longer: its request may only be slow, and Zuplo reads from an origin for up to 180 s. */
export const WATCHDOG_DELAY_SECONDS = 240;

/** Forwarded to the worker: what one request to WorkOS is worth in ms, so that a message of several records keeps the rate too. */
export const PACE_HEADER = "audit-pace-ms";

/** Forwarded to the worker: the value of `Upstash-Retries`, which QStash does not tell it. */
export const RETRIES_HEADER = "audit-retries";

/** The share of one delivery in the rate: with ten at the same time and 80 events a second, 125 ms for each event. */
export function paceMs(rate: number = FLOW_RATE_PER_SECOND, parallelism: number = FLOW_PARALLELISM): number {
  return Math.ceil((1000 * parallelism) / rate);
}

export interface PublishOptions {
  /** `AUDIT_WORKER_URL` without a trailing slash. */
  readonly workerUrl: string;
  readonly deduplicationId: string;
  readonly delaySeconds?: number | undefined;
  /** 3 to 8, default 3. */
  readonly retries?: number | undefined;
  /** Default `workos`. */
  readonly flowControlKey?: string | undefined;
  /** Messages a second. Default 80. */
  readonly rate?: number | undefined;
  readonly parallelism?: number | undefined;
}

/** The headers of one publish without `Authorization`; names are lower case. */
export function publishHeaders(options: PublishOptions): Record<string, string> {
  const rate = options.rate ?? FLOW_RATE_PER_SECOND;
  const parallelism = options.parallelism ?? FLOW_PARALLELISM;
  const retries = options.retries ?? DEFAULT_RETRIES;
  return {
    "content-type": "application/json",
    "upstash-method": "POST",
    "upstash-deduplication-id": options.deduplicationId,
    "upstash-retries": String(retries),
    "upstash-retry-delay": retryDelayExpression(retries),
    "upstash-timeout": `${DELIVERY_TIMEOUT_SECONDS}s`,
    "upstash-failure-callback": `${options.workerUrl}/dead-letter`,
    "upstash-flow-control-key": options.flowControlKey ?? "workos",
    "upstash-flow-control-value": `parallelism=${parallelism}, rate=${rate}, period=1s`,
    "upstash-label": QSTASH_LABEL,
    [`upstash-forward-${PACE_HEADER}`]: String(paceMs(rate, parallelism)),
    [`upstash-forward-${RETRIES_HEADER}`]: String(retries),
    ...(options.delaySeconds ? { "upstash-delay": `${options.delaySeconds}s` } : {}),
  };
}

/** Path of a publish to the worker's `/deliver`; QStash takes the destination as it is, not percent-encoded. */
export function publishPath(workerUrl: string): string {
  return `/v2/publish/${workerUrl}/deliver`;
}

/** What a deduplication id needs to know of a record. */
export interface Identified {
  readonly id: string;
  readonly stage: Stage;
  readonly replay?: { readonly n: number } | undefined;
}

/**
 * The deduplication id of a message: the event id of its one record, with `_intent`, `_watchdog` or `_r<n>` where the same event
 * id travels more than once; for several records that of the first with a hash of all, so that only the same records are equal.
 * Never a colon: QStash refuses it, though its documentation does not say so (https://github.com/superset-sh/superset/pull/3591).
 */
export function deduplicationId(records: readonly Identified[]): string {
  const [first] = records;
  if (!first) throw new RangeError('"records" is empty');
  const own = records.map(identity);
  return own.length === 1 ? own.join() : `${own[0]}_x${own.length}-${hash(own.join())}`;
}

function identity({ id, stage, replay }: Identified): string {
  return `${id}${stage === "outcome" ? "" : `_${stage}`}${replay ? `_r${replay.n}` : ""}`;
}

/** FNV-1a in 32 bits: enough to tell the few messages of one first record apart. */
function hash(text: string): string {
  let bits = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) bits = Math.imul(bits ^ text.charCodeAt(i), 0x01000193);
  return (bits >>> 0).toString(36);
}

/** Seconds that a message waits in the queue before its first attempt. */
export function publishDelaySeconds(records: readonly Identified[]): number {
  if (records.some(({ stage }) => stage === "outcome")) return 0;
  return records.some(({ stage }) => stage === "watchdog") ? WATCHDOG_DELAY_SECONDS : INTENT_DELAY_SECONDS;
}
