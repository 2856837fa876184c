import type { Database } from "../store/database.ts";
import type { FlowKeys } from "../store/flow-keys.ts";
import { dueMessages, headOfQueue, nextDueAt } from "../store/messages.ts";
import { findQueue } from "../store/queues.ts";

/** The limits of a lane. */
export interface Limit {
  paused: boolean;
  /** Parallel deliveries. */
  parallelism: number;
  /** Deliveries started in one period. */
  rate: number;
  periodMs: number;
  /** Strict order: the next message waits for all retries of the one before. */
  isFifo: boolean;
}

const UNLIMITED: Limit = { paused: false, parallelism: Infinity, rate: Infinity, periodMs: 1000, isFifo: false };

/** Reads a lane's current limits from its queue or flow-control key. */
export function limitOf(database: Database, flowKeys: FlowKeys, lane: string): Limit {
  if (lane.startsWith("queue:")) {
    const queue = findQueue(database, lane.slice("queue:".length));
    // Messages of a deleted queue are still delivered, one at a time.
    return { ...UNLIMITED, isFifo: true, paused: queue?.paused === 1, parallelism: queue?.parallelism ?? 1 };
  }
  const key = lane === "" ? undefined : flowKeys.get(lane.slice("flow:".length));
  if (key === undefined) return UNLIMITED;
  return {
    ...UNLIMITED,
    paused: key.paused,
    parallelism: key.parallelism || Infinity,
    rate: key.rate || Infinity,
    periodMs: key.period * 1000,
  };
}

/** The messages of a lane that are due, at most `count`. */
export function dueInLane(database: Database, lane: string, limit: Limit, now: number, count: number): number[] {
  if (!limit.isFifo) return dueMessages(database, lane, now, count);
  return headOfQueue(database, lane, limit.parallelism)
    .filter((row) => row.state === "pending" && row.due_at <= now)
    .slice(0, count)
    .map((row) => row.seq);
}

/** When the next message of a lane is due, or undefined when none waits. */
export function nextDueInLane(database: Database, lane: string, limit: Limit): number | undefined {
  if (!limit.isFifo) return nextDueAt(database, lane);
  const waiting = headOfQueue(database, lane, limit.parallelism).filter((row) => row.state === "pending");
  return waiting.length === 0 ? undefined : Math.min(...waiting.map((row) => row.due_at));
}
