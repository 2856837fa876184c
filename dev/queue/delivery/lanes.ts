import type { Database } from "../store/database.ts";
import type { FlowKeys } from "../store/flow-keys.ts";
import { dueMessages, headOfQueue, nextDueAt, openLanes } from "../store/messages.ts";
import { findQueue } from "../store/queues.ts";

/** What a lane has under way and has used of its rate. */
export interface Usage {
  active: number;
  /** Deliveries begun in the current period. */
  rateCount: number;
  /** Milliseconds since 1970; 0 before the first one. */
  periodStart: number;
}

interface Limit {
  paused: boolean;
  parallelism: number;
  rate: number;
  periodMs: number;
}

export interface Lanes {
  /** Remembers a lane that may hold messages. */
  add(lane: string): void;
  /** Lanes that may hold messages, each call beginning with another one, so that none starves the rest. */
  names(): string[];
  usage(lane: string): Usage;
  /** Messages of a lane that may be delivered now, at most `limit`. */
  take(lane: string, now: number, limit: number): number[];
  begin(lane: string, now: number): void;
  end(lane: string): void;
  /** Ends the current period at once. */
  resetRate(lane: string, now: number): void;
  /** When a lane should be looked at again, or undefined when time alone will change nothing. */
  reopensAt(lane: string, now: number): number | undefined;
  /** Whether a lane holds a message that is due and not paused. */
  isWaiting(lane: string, now: number): boolean;
}

const UNLIMITED: Limit = { paused: false, parallelism: Infinity, rate: Infinity, periodMs: 1000 };

/** Keeps flow-control keys and queues to their limits. What a key has used of its rate does not survive a restart. */
export function createLanes(database: Database, flowKeys: FlowKeys): Lanes {
  const known = new Map<string, Usage>();
  let turn = 0;
  const usage = (lane: string): Usage => {
    let found = known.get(lane);
    if (found === undefined) known.set(lane, (found = { active: 0, rateCount: 0, periodStart: 0 }));
    return found;
  };
  for (const lane of openLanes(database)) usage(lane);

  const limitOf = (lane: string): Limit => {
    if (lane.startsWith("queue:")) {
      const queue = findQueue(database, lane.slice("queue:".length));
      // Messages of a deleted queue still go out, one at a time.
      return { ...UNLIMITED, paused: queue?.paused === 1, parallelism: queue?.parallelism ?? 1 };
    }
    const key = lane === "" ? undefined : flowKeys.get(lane.slice("flow:".length));
    if (key === undefined) return UNLIMITED;
    return {
      paused: key.paused,
      parallelism: key.parallelism || Infinity,
      rate: key.rate || Infinity,
      periodMs: key.period * 1000,
    };
  };
  const isNewPeriod = (used: Usage, limit: Limit, now: number): boolean => now >= used.periodStart + limit.periodMs;
  const room = (lane: string, now: number): number => {
    const [limit, used] = [limitOf(lane), usage(lane)];
    if (limit.paused) return 0;
    const rateLeft = isNewPeriod(used, limit, now) ? limit.rate : limit.rate - used.rateCount;
    return Math.max(0, Math.min(limit.parallelism - used.active, rateLeft));
  };
  const nextDue = (lane: string): number | undefined => {
    if (!lane.startsWith("queue:")) return nextDueAt(database, lane);
    const waiting = headOfQueue(database, lane, limitOf(lane).parallelism).filter((row) => row.state === "pending");
    return waiting.length === 0 ? undefined : Math.min(...waiting.map((row) => row.due_at));
  };

  return {
    add: (lane) => void usage(lane),
    usage,
    names() {
      const names = [...known.keys()];
      turn = names.length === 0 ? 0 : (turn + 1) % names.length;
      return [...names.slice(turn), ...names.slice(0, turn)];
    },
    take(lane, now, limit) {
      const free = Math.min(room(lane, now), limit);
      if (free <= 0) return [];
      if (!lane.startsWith("queue:")) return dueMessages(database, lane, now, free);
      return headOfQueue(database, lane, limitOf(lane).parallelism)
        .filter((row) => row.state === "pending" && row.due_at <= now)
        .slice(0, free)
        .map((row) => row.seq);
    },
    begin(lane, now) {
      const [limit, used] = [limitOf(lane), usage(lane)];
      if (isNewPeriod(used, limit, now)) {
        used.periodStart = now;
        used.rateCount = 0;
      }
      used.rateCount += 1;
      used.active += 1;
    },
    end: (lane) => void (usage(lane).active -= 1),
    resetRate(lane, now) {
      Object.assign(usage(lane), { periodStart: now, rateCount: 0 });
    },
    reopensAt(lane, now) {
      const [limit, used] = [limitOf(lane), usage(lane)];
      if (limit.paused || limit.parallelism <= used.active) return undefined;
      const due = nextDue(lane);
      if (due === undefined) {
        if (used.active === 0 && isNewPeriod(used, limit, now)) known.delete(lane);
        return undefined;
      }
      const isSpent = !isNewPeriod(used, limit, now) && used.rateCount >= limit.rate;
      return isSpent ? Math.max(due, used.periodStart + limit.periodMs) : due;
    },
    isWaiting(lane, now) {
      if (limitOf(lane).paused) return false;
      const due = nextDue(lane);
      return due !== undefined && due <= now;
    },
  };
}
