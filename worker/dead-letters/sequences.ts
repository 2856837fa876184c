/** Sequence numbers of archived records, for the search for gaps. */
import type { SequenceRun } from "../ledger/types.ts";
import type { Sql } from "../storage/sql.ts";

/** One run for each record that a gateway isolate counted; reads every entry. */
export function readSequences(sql: Sql, sinceMs: number, untilMs: number): SequenceRun[] {
  const query = `SELECT record ->> '$.gateway.isolateId' AS isolate, record ->> '$.sequence' AS sequence FROM dead_letters
    WHERE occurred_at >= ? AND occurred_at < ? AND record ->> '$.sequence' > 0`;
  return sql
    .all<{ isolate: string; sequence: number }>(query, sinceMs, untilMs)
    .map(({ isolate, sequence }) => ({ isolate, first: sequence, last: sequence }));
}
