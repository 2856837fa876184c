/** Sends the granted records of one message in parallel, within the time that the lease allows. */
import { LEASE_MS, WORKOS_TIMEOUT_MS } from "../../shared/limits.ts";
import { outcomeOf, verdictOf, type AttemptOutcome, type Verdict } from "../../shared/outcome.ts";
import type { LedgerAttempt } from "../ledger/types.ts";
import type { DeliverPorts } from "./ports.ts";

/** One less than the connections a Worker may have open at once. https://developers.cloudflare.com/workers/platform/limits/ */
const LANES = 5;
/** Failures in a row after which the rest of a message is not sent: the breaker has opened by then. */
const FAILURES_TO_STOP = 5;

interface Ready {
  readonly id: string;
  readonly body: string;
  readonly key: string;
}

export interface AttemptResult {
  readonly id: string;
  readonly outcome: AttemptOutcome;
  readonly attempt: LedgerAttempt;
  /** What the answer says about WorkOS; absent if nothing was sent. */
  readonly verdict?: Verdict;
}

type SendPorts = Pick<DeliverPorts, "now" | "send">;

/**
 * Sends each record once and returns the results in the order of the answers. No request starts unless it can end while the lease
 * holds. Records left over, and all records after a wrong credential or five failures in a row, end as retries that were never
 * sent. If `held` gives a reason, nothing is sent.
 */
export async function sendAll(
  items: readonly Ready[],
  startMs: number,
  ports: SendPorts,
  held?: AttemptOutcome,
): Promise<readonly AttemptResult[]> {
  const state: LaneState = { deadlineMs: startMs + LEASE_MS - WORKOS_TIMEOUT_MS, stop: held, failures: 0 };
  const ended: AttemptResult[] = [];
  const queue = [...items];
  const lane = async () => {
    for (let item = queue.shift(); item; item = queue.shift()) ended.push(await sendOne(item, state, ports));
  };
  await Promise.all(Array.from({ length: Math.min(LANES, items.length) }, lane));
  return ended;
}

interface LaneState {
  readonly deadlineMs: number;
  /** Why nothing more is sent. */
  stop: AttemptOutcome | undefined;
  /** Consecutive failures. */
  failures: number;
}

async function sendOne(item: Ready, state: LaneState, ports: SendPorts): Promise<AttemptResult> {
  const startedMs = ports.now();
  if (state.stop) return notSent(item, state.stop, startedMs);
  if (startedMs > state.deadlineMs) return notSent(item, OUT_OF_TIME, startedMs);
  const { answer, detail } = await ports.send(item.body, item.key);
  const endedMs = ports.now();
  const outcome = outcomeOf(answer, endedMs);
  const verdict = verdictOf(answer);
  const status = answer.kind === "response" ? answer.status : undefined;
  state.failures = verdict === "failed" ? state.failures + 1 : 0;
  if (outcome.kind === "pause") state.stop = outcome;
  else if (state.failures >= FAILURES_TO_STOP) state.stop = DESTINATION_DOWN;
  const reason = outcome.kind === "delivered" ? undefined : [outcome.reason, detail].filter(Boolean).join(" ");
  return {
    id: item.id,
    outcome: reason === undefined || outcome.kind === "delivered" ? outcome : { ...outcome, reason },
    attempt: {
      atMs: startedMs,
      durationMs: endedMs - startedMs,
      outcome: outcome.kind,
      wrote: outcome.wrote,
      ...(status === undefined ? {} : { status }),
      ...(reason === undefined ? {} : { reason }),
    },
    ...(verdict === undefined ? {} : { verdict }),
  };
}

const OUT_OF_TIME: AttemptOutcome = { kind: "retry", wrote: "no", reason: "out_of_time" };
const DESTINATION_DOWN: AttemptOutcome = { kind: "retry", wrote: "no", reason: "destination_down" };

function notSent(item: Ready, outcome: AttemptOutcome, atMs: number): AttemptResult {
  const reason = outcome.kind === "delivered" ? "" : outcome.reason;
  return { id: item.id, outcome, attempt: { atMs, durationMs: 0, outcome: outcome.kind, wrote: "no", reason } };
}
