/** The work of the object's alarm: publishes, settles, removes and forgets what is due, and returns when to run next. */
import { pruneDeadLetters } from "../dead-letters/retention.ts";
import { dueRemovals, nextRemovalMs, readNote, removalFailed, removed, writeNote } from "../dead-letters/store.ts";
import type { Lookup } from "../dead-letters/failure.ts";
import { logFailure } from "../log.ts";
import { finishReplays, pruneReplays } from "./finished-replays.ts";
import { publishNext, type Publish } from "./publication.ts";
import { settleDue } from "./settlement.ts";
import type { ReplayRow } from "./store.ts";
import type { Sql } from "../storage/sql.ts";

const PRUNE_EVERY_MS = 86_400_000;
const PRUNE_NOTE = "prune_at";
/** Pause after a failed step. Our choice. */
const RETRY_MS = 10_000;

interface EnginePorts {
  readonly now: () => number;
  readonly lookup: Lookup;
  readonly publish: Publish;
  /** Removes entries of QStash's own dead-letter queue; true once that is certain. */
  readonly remove: (dlqIds: readonly string[]) => Promise<boolean>;
}

type Step = (sql: Sql, ports: EnginePorts) => Promise<void> | void;

/** By the name under which a failure is logged. */
const STEPS: Readonly<Record<string, Step>> = {
  replay_publish: publishDue,
  replay_settle: settle,
  replay_remove: removeDue,
  replay_finish: finish,
  replay_prune: prune,
};

/** Runs everything that is due; a failing step does not stop the others. Returns the latest time for the next run. */
export async function runDue(sql: Sql, ports: EnginePorts): Promise<number | undefined> {
  let failed = false;
  for (const [task, step] of Object.entries(STEPS)) {
    try {
      await step(sql, ports);
    } catch (error) {
      failed = true;
      logFailure({ task }, error);
    }
  }
  return failed ? ports.now() + RETRY_MS : undefined;
}

async function publishDue(sql: Sql, { publish, now }: EnginePorts): Promise<void> {
  const due = sql.all<ReplayRow>("SELECT * FROM replays WHERE state = 'running' AND due_at <= ?", now());
  for (const replay of due) await publishNext(sql, replay, publish, now);
}

async function settle(sql: Sql, { lookup, now }: EnginePorts): Promise<void> {
  await settleDue(sql, lookup, now);
}

async function removeDue(sql: Sql, { remove, now }: EnginePorts): Promise<void> {
  const due = dueRemovals(sql, now());
  if (due.length === 0) return;
  if (await remove(due)) removed(sql, due);
  else removalFailed(sql, due, now() + 30 * RETRY_MS);
}

async function finish(sql: Sql, { now }: EnginePorts): Promise<void> {
  await finishReplays(sql, now);
}

function prune(sql: Sql, { now }: EnginePorts): void {
  const nowMs = now();
  if ((prunedNextMs(sql) ?? nowMs) > nowMs) return;
  const more = pruneDeadLetters(sql, nowMs);
  pruneReplays(sql, nowMs);
  writeNote(sql, PRUNE_NOTE, nowMs + (more ? 0 : PRUNE_EVERY_MS));
}

/** Returns when something is due next, ms since the epoch; in the past if it is due now. */
export function nextDueMs(sql: Sql, nowMs: number): number {
  const [next] = sql.all<{ at: number | null }>(
    `SELECT min(at) AS at FROM (
       SELECT min(due_at) AS at FROM replays
         WHERE state = 'running' OR (state = 'settling' AND published = delivered + failed_again)
       UNION ALL SELECT min(check_at) FROM items WHERE outcome = 'published')`,
  );
  const pruneMs = prunedNextMs(sql) ?? nowMs;
  return Math.min(next?.at ?? Number.POSITIVE_INFINITY, nextRemovalMs(sql) ?? Number.POSITIVE_INFINITY, pruneMs);
}

function prunedNextMs(sql: Sql): number | undefined {
  return readNote(sql, PRUNE_NOTE) as number | undefined;
}
