/**
 * The headers of a publish to QStash. The policy and the worker's outbox use the same headers, so a message is the same on both paths. https://upstash.com/docs/qstash/api/publish
 */
import type { Stage } from "./record.ts";
import { DEFAULT_RETRIES, retryDelayExpression } from "./retry-horizon.ts";

/** Marks the messages of this system. The sweep of QStash's dead-letter queue ignores all others. */
export const QSTASH_LABEL = "audit-forwarder";
/**
 * Messages a second: the size of the worker's largest burst, because the worker sets the pace. QStash's flow control only pauses.
 * Our choice.
 */
const FLOW_RATE_PER_SECOND = 600;
/** Parallel deliveries: enough for the worker's pace if WorkOS answers in 200 ms. Our choice. */
const FLOW_PARALLELISM = 40;
/** How long QStash waits for one delivery. Its events may wait for their turn meanwhile. Our choice. */
const DELIVERY_TIMEOUT_SECONDS = 300;
/** Delay of an intent, so that the outcome of the same request is delivered first. Our choice. */
const INTENT_DELAY_SECONDS = 200;
/** Delay of a watchdog's record. Longer, because its request may only be slow: Zuplo reads from an origin for up to 180 s. */
const WATCHDOG_DELAY_SECONDS = 240;

/** Tells the worker the value of `Upstash-Retries`, because QStash does not. */
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

/** Returns the headers of one publish, in lower case and without `Authorization`. */
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

/** Returns the path of a publish to the worker's `/deliver`. QStash expects the destination without percent-encoding. */
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
 * Returns the deduplication id of a message. For one record it is the event id, with `_intent`, `_watchdog` or `_r<n>` if the same
 * event id is sent more than once. For several records it is the id of the first and a hash of all, so only the same records have
 * the same id. It has no colon, because QStash refuses one without documenting it (https://github.com/superset-sh/superset/pull/3591).
 *
 * @example
 * deduplicationId([{ id: "019ab0c4", stage: "intent" }]); // "019ab0c4_intent"
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

/** FNV-1a with 32 bits. Few messages start with the same record, so collisions do not matter. */
function hash(text: string): string {
  let bits = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) bits = Math.imul(bits ^ text.charCodeAt(i), 0x01000193);
  return (bits >>> 0).toString(36);
}

/** Returns how many seconds a message waits on the queue before its first attempt. */
export function publishDelaySeconds(records: readonly Identified[]): number {
  if (records.some(({ stage }) => stage === "outcome")) return 0;
  return records.some(({ stage }) => stage === "watchdog") ? WATCHDOG_DELAY_SECONDS : INTENT_DELAY_SECONDS;
}
