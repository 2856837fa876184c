/** Creates a replay: checks each selected dead letter and the ledger, and takes those that may be sent. */
import type { AuditRecord } from "../../shared/record.ts";
import { whereOf, type Filter } from "../dead-letters/query.ts";
import type { DeadLetterSummary } from "../dead-letters/row.ts";
import { considerRemovals, idsAfter, moveDeadLetters, readSummaries, takeDeadLetters } from "../dead-letters/store.ts";
import type { Fate } from "../ledger/fates.ts";
import { decide, type ReplayDecision } from "./decision.ts";
import { mendRecord, type FieldChange } from "./mended-record.ts";
import { PlanCounts, type ReplayPlan } from "./plan.ts";
import type { ReplayRequest, Selection } from "./request.ts";
import { insertReplay, startReplay } from "./store.ts";
import { fingerprintOf, readPlanPart, storePlan, storePlanPart, type PlannedLetter } from "./stored-plan.ts";
import type { Sql } from "../storage/sql.ts";

/** Dead letters per transaction: a lookup asks each ledger shard once for all of them. Our choice. */
const CHUNK = 10_000;

export interface PlannedReplay {
  /** null for a dry run. */
  readonly id: string | null;
  /** The plan of a dry run has an id, for confirming it. */
  readonly plan: ReplayPlan & { readonly id?: string };
}

interface Decided {
  readonly id: string;
  readonly row: Candidate | undefined;
  readonly changes: readonly FieldChange[];
  readonly decision: ReplayDecision;
}

type Candidate = DeadLetterSummary & { readonly record?: string | null };

/** The dead letters of one transaction; a confirmed plan has already decided which ones to skip. */
type Chunk = readonly { readonly id: string; readonly planned?: PlannedLetter }[];

/**
 * Plans a replay and, unless it is a dry run, takes its dead letters. Other requests run between two chunks. A dead letter is taken
 * only if it is still open at that moment and, with a plan, if the plan said that it will be sent.
 */
export async function createReplay(
  sql: Sql,
  fatesOf: (ids: readonly string[]) => Promise<ReadonlyMap<string, Fate>>,
  request: ReplayRequest,
  replay: { readonly id: string; readonly planId: string; readonly by: string },
  now: () => number,
): Promise<PlannedReplay> {
  const seq = request.dryRun ? undefined : insertReplay(sql, replay.id, request, replay.by, now());
  const counts = new PlanCounts(request);
  let part = 0;
  for (let after: string | undefined = ""; after !== undefined; part++) {
    const chunk: Chunk = chunkOf(sql, request.selection, after, part);
    const ids = chunk.map(({ id }) => id);
    if (ids.length === 0) break;
    const ledger = await fatesOf(ids);
    sql.transaction(() => {
      const nowMs = now();
      const rows = readSummaries(sql, ids, request.mend !== undefined);
      const decided = chunk.map(({ id, planned }) => {
        const one = decideOne(id, rows.get(id), ledger.get(id), planned, request, nowMs);
        counts.add(one.row, one.decision, one.changes);
        return one;
      });
      if (seq === undefined) storePlanPart(sql, replay.planId, part, decided.map(plannedLetter));
      else take(sql, seq, replay.id, decided, nowMs);
    });
    after = ids.at(-1);
  }
  const plan = counts.build();
  if (seq === undefined) {
    storePlan(sql, replay.planId, request, replay.by, now());
    return { id: null, plan: { id: replay.planId, ...plan } };
  }
  startReplay(sql, seq, plan, now());
  return { id: replay.id, plan };
}

function decideOne(
  id: string,
  row: Candidate | undefined,
  fate: Fate | undefined,
  planned: PlannedLetter | undefined,
  { mend, acceptDuplicates }: ReplayRequest,
  nowMs: number,
): Decided {
  const changes = row?.record ? mendRecord(JSON.parse(row.record) as AuditRecord, mend).changes : [];
  const decision = decide(row, fate, { acceptDuplicates, mended: changes.length > 0 }, nowMs);
  const [, skip, fingerprint] = planned ?? [];
  if (skip) return { id, row, changes, decision: { kind: "skip", reason: skip, risk: decision.risk } };
  if (decision.kind === "send" && fingerprint !== undefined && fingerprint !== fingerprintOf(changes)) {
    return { id, row, changes, decision: { kind: "skip", reason: "changed_since_plan", risk: false } };
  }
  return { id, row, changes, decision };
}

function plannedLetter({ id, decision, changes }: Decided): PlannedLetter {
  return [id, decision.kind === "skip" ? decision.reason : null, fingerprintOf(changes)];
}

function chunkOf(sql: Sql, selection: Selection, after: string, part: number): Chunk {
  if (selection.kind === "plan") {
    return (readPlanPart(sql, selection.planId, part) ?? []).map((planned) => ({ id: planned[0], planned }));
  }
  if (selection.kind === "event_ids") {
    const ids = selection.eventIds.filter((id) => id > after).toSorted();
    return ids.slice(0, CHUNK).map((id) => ({ id }));
  }
  const filter: Filter = selection.kind === "filter" ? selection.filter : {};
  return idsAfter(sql, whereOf(filter), after, CHUNK).map((id) => ({ id }));
}

/** Writes one chunk with a few statements; one per row is several times slower. */
function take(sql: Sql, seq: number, replayId: string, decided: readonly Decided[], nowMs: number): void {
  const items = decided.map(({ id, decision }) =>
    decision.kind === "send"
      ? [id, decision.n, "pending", null, decision.safeUntilMs ?? null, null]
      : [id, 0, "skipped", decision.reason, null, nowMs],
  );
  sql.all(
    `INSERT INTO items (replay, event_id, n, outcome, reason, safe_until, ended_at)
     SELECT ?, value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4, value ->> 5 FROM json_each(?)`,
    seq,
    JSON.stringify(items),
  );
  takeDeadLetters(
    sql,
    replayId,
    decided.flatMap(({ id, decision }) => (decision.kind === "send" ? [[id, decision.n] as const] : [])),
  );
  // The ledger knows of a delivery that nobody reported: nothing is left to do for these.
  const delivered = decided.filter(({ decision }) => decision.kind === "skip" && decision.reason === "delivered");
  const closed = moveDeadLetters(
    sql,
    "delivered",
    delivered.map(({ id }) => id),
  );
  considerRemovals(sql, closed, nowMs);
}
