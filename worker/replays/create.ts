/** Makes a replay: looks at each selected dead letter and at the ledger, and takes what may be sent. */
import type { AuditRecord } from "../../shared/record.ts";
import { whereOf, type Filter } from "../dead-letters/query.ts";
import type { Summary } from "../dead-letters/row.ts";
import { considerRemovals, idsAfter, moveDeadLetters, readSummaries, takeDeadLetters } from "../dead-letters/store.ts";
import type { Fate } from "../ledger/fates.ts";
import { decide, type Decision } from "./decide.ts";
import { mendRecord } from "./mend.ts";
import { PlanBuilder, type Plan } from "./plan.ts";
import type { ReplayRequest, Selection } from "./request.ts";
import { insertReplay } from "./store.ts";
import type { Sql } from "../storage/sql.ts";

/** Dead letters looked at in one transaction: a lookup asks each ledger shard once for all of them. Our choice. */
const CHUNK = 10_000;

export interface Planned {
  /** null for a dry run. */
  readonly id: string | null;
  readonly plan: Plan;
}

interface Decided {
  readonly id: string;
  readonly row: Candidate | undefined;
  readonly decision: Decision;
}

type Candidate = Summary & { readonly record?: string | null };

/** Between two chunks other requests are served; a dead letter is taken only if it is still open when it is looked at. */
export async function createReplay(
  sql: Sql,
  fatesOf: (ids: readonly string[]) => Promise<ReadonlyMap<string, Fate>>,
  request: ReplayRequest,
  replay: { readonly id: string; readonly by: string },
  now: () => number,
): Promise<Planned> {
  const seq = request.dryRun ? undefined : insertReplay(sql, replay.id, request, replay.by, now());
  const builder = new PlanBuilder(request);
  for (let after = ""; ;) {
    const ids = nextIds(sql, request.selection, after);
    const last = ids.at(-1);
    if (last === undefined) break;
    const ledger = await fatesOf(ids);
    sql.transaction(() => {
      const nowMs = now();
      const rows = readSummaries(sql, ids, request.mend !== undefined);
      const decided = ids.map((id): Decided => {
        const row = rows.get(id);
        const changes = row?.record ? mendRecord(JSON.parse(row.record) as AuditRecord, request.mend).changes : [];
        const asked = { acceptDuplicates: request.acceptDuplicates, mended: changes.length > 0 };
        const decision = decide(row, ledger.get(id), asked, nowMs);
        builder.add(row, decision, changes);
        return { id, row, decision };
      });
      if (seq !== undefined) take(sql, seq, replay.id, decided, nowMs);
    });
    after = last;
  }
  const plan = builder.build();
  if (seq === undefined) return { id: null, plan };
  const total = plan.send + plan.skip;
  sql.all(
    "UPDATE replays SET state = 'running', plan = ?, total = ?, skipped = ?, due_at = ? WHERE seq = ?",
    JSON.stringify(plan),
    total,
    plan.skip,
    now(),
    seq,
  );
  return { id: replay.id, plan };
}

function nextIds(sql: Sql, selection: Selection, after: string): string[] {
  if (selection.kind === "event_ids") {
    return selection.eventIds
      .filter((id) => id > after)
      .toSorted()
      .slice(0, CHUNK);
  }
  const filter: Filter = selection.kind === "filter" ? selection.filter : {};
  return idsAfter(sql, whereOf(filter), after, CHUNK);
}

/** Writes one chunk with a few statements; one for each row is several times slower. */
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
  // The ledger knows of a delivery that nobody has told: nothing is left to do for these.
  const delivered = decided.filter(({ decision }) => decision.kind === "skip" && decision.reason === "delivered");
  const closed = moveDeadLetters(
    sql,
    "delivered",
    delivered.map(({ id }) => id),
  );
  considerRemovals(sql, closed, nowMs);
}
