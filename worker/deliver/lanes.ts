/** Sends the granted records of one message side by side, within the time that the lease allows. */
import { LEASE_MS, WORKOS_TIMEOUT_MS } from "../../shared/limits.ts";
import { outcomeOf, type Outcome } from "../../shared/outcome.ts";
import type { LedgerAttempt } from "../ledger/types.ts";
import type { Pace } from "./pace.ts";
import type { DeliverPorts } from "./ports.ts";

/** One less than the connections a Worker may have open at a time. https://developers.cloudflare.com/workers/platform/limits/ */
const LANES = 5;
/** Shortest pause after a 429, also where `Retry-After` is missing, zero or in the past. Our choice. */
const THROTTLE_MS = 1_000;

export interface Ready {
  readonly id: string;
  readonly body: string;
  readonly key: string;
}

export interface Ended {
  readonly id: string;
  readonly outcome: Outcome;
  readonly attempt: LedgerAttempt;
}

/**
 * Sends each record once and says what became of it, in no fixed order. No request starts unless it can end while the lease
 * holds; what is left over, and everything after a wrong credential, ends as a retry that was never sent. WorkOS answers 429 to
 * a message of several records because QStash paces messages, not records: then the message slows down instead of spending an
 * attempt of each.
 */
export async function sendAll(
  items: readonly Ready[],
  startMs: number,
  pace: Pace,
  ports: DeliverPorts,
): Promise<readonly Ended[]> {
  const deadlineMs = startMs + LEASE_MS - WORKOS_TIMEOUT_MS;
  const state: LaneState = { deadlineMs, pace, stop: undefined, throttledUntilMs: 0 };
  const ended: Ended[] = [];
  const queue = [...items];
  const lane = async () => {
    for (let item = queue.shift(); item; item = queue.shift()) {
      ended.push(await sendOne(item, items.length > 1, state, ports));
    }
  };
  await Promise.all(Array.from({ length: Math.min(LANES, items.length) }, lane));
  return ended;
}

interface LaneState {
  readonly deadlineMs: number;
  readonly pace: Pace;
  /** Why nothing more is sent. */
  stop: Outcome | undefined;
  throttledUntilMs: number;
}

async function sendOne(item: Ready, isOneOfMany: boolean, state: LaneState, ports: DeliverPorts): Promise<Ended> {
  for (;;) {
    const waitMs = state.throttledUntilMs - ports.now();
    if (waitMs > 0 && !state.stop) await ports.sleep(waitMs);
    const turn = isOneOfMany && !state.stop ? state.pace.turn() : undefined;
    if (turn) await turn;
    const startedMs = ports.now();
    if (state.stop) return notSent(item, state.stop, startedMs);
    if (startedMs > state.deadlineMs) return notSent(item, OUT_OF_TIME, startedMs);
    const { answer, detail } = await ports.send(item.body, item.key);
    const endedMs = ports.now();
    const outcome = outcomeOf(answer, endedMs);
    const status = answer.kind === "response" ? answer.status : undefined;
    if (isOneOfMany && status === 429 && throttle(state, outcome, endedMs)) continue;
    if (outcome.kind === "pause") state.stop = outcome;
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
    };
  }
}

const OUT_OF_TIME: Outcome = { kind: "retry", wrote: "no", reason: "out_of_time" };

/** True where the wait that WorkOS asks for still leaves time to send; otherwise nothing more is sent. */
function throttle(state: LaneState, outcome: Outcome, nowMs: number): boolean {
  const asked = outcome.kind === "retry" ? outcome.retryAfterMs : undefined;
  const untilMs = nowMs + Math.max(asked ?? 0, THROTTLE_MS);
  if (untilMs > state.deadlineMs) {
    state.stop = {
      kind: "retry",
      wrote: "no",
      reason: "throttled",
      ...(asked === undefined ? {} : { retryAfterMs: asked }),
    };
    return false;
  }
  state.throttledUntilMs = Math.max(state.throttledUntilMs, untilMs);
  return true;
}

function notSent(item: Ready, outcome: Outcome, atMs: number): Ended {
  const reason = outcome.kind === "delivered" ? "" : outcome.reason;
  return { id: item.id, outcome, attempt: { atMs, durationMs: 0, outcome: outcome.kind, wrote: "no", reason } };
}
