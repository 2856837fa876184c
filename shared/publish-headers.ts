/**
 * The headers of a publish to QStash. The policy and the worker's outbox use the same ones, so that a message is the same on both
 * paths. https://upstash.com/docs/qstash/api/publish
 */
import type { Stage } from "./record.ts";
import { DEFAULT_RETRIES, retryDelayExpression } from "./retry-horizon.ts";

/** Marks our messages. The sweep of QStash's dead-letter queue ignores all others. */
export const QSTASH_LABEL = "audit-forwarder";
/**
 * Messages a second: as many events as the worker lets out in one burst, because it paces them itself. QStash's flow control counts messages
 * and is there to pause. Our choice.
 */
const FLOW_RATE_PER_SECOND = 600;
/** Deliveries at the same time: enough for the worker's pace where WorkOS answers in 200 ms. Our choice. */
const FLOW_PARALLELISM = 40;
/** How long QStash waits for one delivery, in which its events may wait for their turn. Our choice. */
const DELIVERY_TIMEOUT_SECONDS = 300;
/** An intent waits this long, so that the outcome of the same request comes first. Our choice. */
const INTENT_DELAY_SECONDS = 200;
/** A watchdog's record waits longer: its request may only be slow, and Zuplo reads from an origin for up to 180 s. */
const WATCHDOG_DELAY_SECONDS = 240;

/** Forwarded to the worker: the value of `Upstash-Retries`, which QStash does not tell it. */
export const RETRIES_HEADER = "audit-retries";

interface PublishOptions {
  /** `AUDIT_WORKER_URL` without a trailing slash. */
  readonly workerUrl: string;
  readonly deduplicationId: string;
  readonly delaySeconds?: number | undefined;
  /** 3 to 8, default 3. */
  readonly retries?: number | undefined;
  /** Default `workos`. */
  readonly flowControlKey?: string | undefined;
  /** Messages a second. Default 600. */
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
    [`upstash-forward-${RETRIES_HEADER}`]: String(retries),
    ...(options.delaySeconds ? { "upstash-delay": `${options.delaySeconds}s` } : {}),
  };
}

/** Path of a publish to the worker's `/deliver`. QStash expects the destination as it is, not percent-encoded. */
export function publishPath(workerUrl: string): string {
  return `/v2/publish/${workerUrl}/deliver`;
}

/** The parts of a record that its deduplication id depends on. */
export interface Identified {
  readonly id: string;
  readonly stage: Stage;
  readonly replay?: { readonly n: number } | undefined;
}

/**
 * The deduplication id of a message. For one record it is the event id, with `_intent`, `_watchdog` or `_r<n>` if the same event id
 * is sent more than once. For several it is that of the first with a hash of all, so that two ids are equal only for the same records.
 * It has no colon: QStash refuses it, although its documentation does not say so (https://github.com/superset-sh/superset/pull/3591).
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

/** FNV-1a in 32 bits: enough to tell apart the few messages that begin with the same record. */
function hash(text: string): string {
  let bits = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) bits = Math.imul(bits ^ text.charCodeAt(i), 0x01000193);
  return (bits >>> 0).toString(36);
}

/** Seconds that a message waits on the queue before its first attempt. */
export function publishDelaySeconds(records: readonly Identified[]): number {
  if (records.some(({ stage }) => stage === "outcome")) return 0;
  return records.some(({ stage }) => stage === "watchdog") ? WATCHDOG_DELAY_SECONDS : INTENT_DELAY_SECONDS;
}
