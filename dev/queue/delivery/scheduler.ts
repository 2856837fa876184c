import type { Clock } from "../clock.ts";
import type { FaultBoard } from "../faults.ts";
import type { Database } from "../store/database.ts";
import { addEvent } from "../store/events.ts";
import { messageBySeq, type Message } from "../store/messages.ts";
import { purge, type Retention } from "../store/retention.ts";
import { deliveryHeaders } from "./headers.ts";
import type { Lanes } from "./lanes.ts";
import type { Outcome, Sender } from "./sender.ts";
import { settle } from "./settlement.ts";
import { signDelivery } from "./signature.ts";

export interface SchedulerParts {
  database: Database;
  lanes: Lanes;
  sender: Sender;
  clock: Clock;
  faults: FaultBoard;
  /** The signing key, read again for each delivery. */
  signingKey: () => string;
  /** The time in signatures; milliseconds since 1970. */
  signingNow: () => number;
  retention: Retention;
  /** Most deliveries under way. */
  parallelism: number;
  /** Milliseconds for an attempt without `Upstash-Timeout`. */
  timeoutMs: number;
  log: (line: string) => void;
}

export interface Scheduler {
  /** Checks for due messages; call it after anything that may have made one due. */
  wake(): void;
  /** Resolves once nothing is under way and nothing that is not paused is due. */
  idle(): Promise<void>;
  /** Deliveries under way. */
  active(): number;
  /** Removes expired data, unless that was done recently. */
  tidy(): void;
  stop(): Promise<void>;
}

const TIDY_EVERY_MS = 60_000;

/** Starts the loop that delivers due messages within the limits of lanes and plan. */
export function createScheduler(parts: SchedulerParts): Scheduler {
  const { lanes, clock } = parts;
  const underWay = new Set<Promise<void>>();
  const tidy = createTidier(parts);
  let idlers: (() => void)[] = [];
  let cancelWake: (() => void) | undefined;
  let stopped = false;

  function wake(): void {
    if (stopped) return;
    tidy();
    const now = clock.now();
    let next = Infinity;
    for (const lane of lanes.names()) {
      for (const seq of lanes.take(lane, now, parts.parallelism - underWay.size)) begin(seq, lane, now);
      next = Math.min(next, lanes.reopensAt(lane, now) ?? Infinity);
    }
    cancelWake?.();
    // At the limit of parallel deliveries, only the end of one helps, and that triggers the next check.
    if (next < Infinity && underWay.size < parts.parallelism) cancelWake = clock.wakeAt(next, wake);
    announceIdle(now);
  }

  function begin(seq: number, lane: string, now: number): void {
    lanes.begin(lane, now);
    const work = attempt(parts, seq, now, () => stopped)
      .catch((error: unknown) => parts.log(`message ${seq} stays under way until the next start: ${String(error)}`))
      .finally(() => {
        underWay.delete(work);
        lanes.end(lane);
        wake();
      });
    underWay.add(work);
  }

  function announceIdle(now: number): void {
    if (idlers.length === 0 || underWay.size > 0) return;
    if (lanes.names().some((lane) => lanes.isWaiting(lane, now))) return;
    const ready = idlers;
    idlers = [];
    for (const resolve of ready) resolve();
  }

  return {
    wake,
    tidy,
    active: () => underWay.size,
    idle: () =>
      new Promise((resolve) => {
        if (stopped) return resolve();
        idlers.push(resolve);
        wake();
      }),
    async stop() {
      stopped = true;
      cancelWake?.();
      parts.sender.close();
      await Promise.allSettled(underWay);
      for (const resolve of idlers) resolve();
    },
  };
}

/** Makes one attempt and stores its result, unless the queue was stopped meanwhile. */
async function attempt(parts: SchedulerParts, seq: number, now: number, isStopped: () => boolean): Promise<void> {
  const { database } = parts;
  const begun = performance.now();
  const message = messageBySeq(database, seq);
  const marked = database.write(() => {
    database.run("UPDATE message SET state = 'active' WHERE seq = ?", seq);
    addEvent(database, { messageSeq: seq, time: now, state: "ACTIVE" });
  });
  // The mark need not be on disk before the call. A crash loses both, and the message stays pending.
  const [outcome] = await Promise.all([deliver(parts, message), marked]);
  if (isStopped()) return;
  const busy = await database.write(() => settle(database, message, outcome, parts.faults, parts.clock.now()));
  for (const lane of busy) parts.lanes.add(lane);
  const took = Math.round(performance.now() - begun);
  const result = outcome.answer?.status ?? outcome.error;
  parts.log(`${message.id} attempt ${message.retried + 1} ${message.url} ${result} ${took} ms`);
}

async function deliver(parts: SchedulerParts, message: Message): Promise<Outcome> {
  const { options, url, body } = message;
  const signature = await signDelivery(parts.signingKey(), url, body, parts.signingNow());
  return parts.sender.send({
    url,
    method: options.method ?? "POST",
    header: deliveryHeaders(message, signature),
    body,
    timeoutMs: options.timeoutMs ?? parts.timeoutMs,
  });
}

function createTidier({ database, clock, retention }: SchedulerParts): () => void {
  let tidiedAt = 0;
  return () => {
    const now = clock.now();
    if (now - tidiedAt < TIDY_EVERY_MS) return;
    tidiedAt = now;
    // If a crash loses this, it is simply repeated.
    void database.write(() => purge(database, now, retention));
  };
}
