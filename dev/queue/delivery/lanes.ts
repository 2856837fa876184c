import type { Database } from "../store/database.ts";
import type { FlowKeys } from "../store/flow-keys.ts";
import { openLanes } from "../store/messages.ts";
import { dueInLane, limitOf, nextDueInLane, type Limit } from "./limits.ts";

/** The deliveries under way in a lane, and its used rate. */
interface Usage {
  active: number;
  /** Deliveries begun in the current period. */
  rateCount: number;
  /** Milliseconds since 1970; 0 before the first one. */
  periodStart: number;
}

export interface Lanes {
  /** Remembers a lane that may hold messages. */
  add(lane: string): void;
  /** Lanes that may hold messages. Each call begins with another lane, so that none is starved. */
  names(): string[];
  usage(lane: string): Usage;
  /** Messages of a lane that may be delivered now, at most `count`. */
  take(lane: string, now: number, count: number): number[];
  begin(lane: string, now: number): void;
  end(lane: string): void;
  /** Ends the current period at once. */
  resetRate(lane: string, now: number): void;
  /** When to check a lane again; undefined if waiting alone will change nothing. */
  reopensAt(lane: string, now: number): number | undefined;
  /** Whether a lane holds a message that is due and not paused. */
  isWaiting(lane: string, now: number): boolean;
}

/** Enforces the limits of flow-control keys and queues. The used rate of a key does not survive a restart. */
export function createLanes(database: Database, flowKeys: FlowKeys): Lanes {
  const known = new Map<string, Usage>();
  let turn = 0;
  const usage = (lane: string): Usage => {
    let found = known.get(lane);
    if (found === undefined) known.set(lane, (found = { active: 0, rateCount: 0, periodStart: 0 }));
    return found;
  };
  const look = (lane: string): { limit: Limit; used: Usage } => ({
    limit: limitOf(database, flowKeys, lane),
    used: usage(lane),
  });
  for (const lane of openLanes(database)) usage(lane);

  return {
    add: (lane) => void usage(lane),
    usage,
    names() {
      const names = [...known.keys()];
      turn = names.length === 0 ? 0 : (turn + 1) % names.length;
      return [...names.slice(turn), ...names.slice(0, turn)];
    },
    take(lane, now, count) {
      const { limit, used } = look(lane);
      const free = Math.min(room(limit, used, now), count);
      return free > 0 ? dueInLane(database, lane, limit, now, free) : [];
    },
    begin(lane, now) {
      const { limit, used } = look(lane);
      if (isNewPeriod(limit, used, now)) Object.assign(used, { periodStart: now, rateCount: 0 });
      used.rateCount += 1;
      used.active += 1;
    },
    end: (lane) => void (usage(lane).active -= 1),
    resetRate: (lane, now) => void Object.assign(usage(lane), { periodStart: now, rateCount: 0 }),
    reopensAt(lane, now) {
      const { limit, used } = look(lane);
      // A delivery that ends, or a resume, triggers the next check.
      if (limit.paused || used.active >= limit.parallelism) return undefined;
      const due = nextDueInLane(database, lane, limit);
      if (due === undefined) {
        if (used.active === 0 && isNewPeriod(limit, used, now)) known.delete(lane);
        return undefined;
      }
      return room(limit, used, now) > 0 ? due : Math.max(due, used.periodStart + limit.periodMs);
    },
    isWaiting(lane, now) {
      const { limit } = look(lane);
      if (limit.paused) return false;
      const due = nextDueInLane(database, lane, limit);
      return due !== undefined && due <= now;
    },
  };
}

function isNewPeriod(limit: Limit, used: Usage, now: number): boolean {
  return now >= used.periodStart + limit.periodMs;
}

function room(limit: Limit, used: Usage, now: number): number {
  if (limit.paused) return 0;
  const rateLeft = isNewPeriod(limit, used, now) ? limit.rate : limit.rate - used.rateCount;
  return Math.max(0, Math.min(limit.parallelism - used.active, rateLeft));
}
