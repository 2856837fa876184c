/** Stores reported failures as dead letters, inside the caller's transaction. */
import type { ReplayMark } from "../../shared/record.ts";
import type { DeadLetterEntry } from "./entry.ts";
import { merge } from "./merged-row.ts";
import { linkEntry, readRow, writeRow } from "./store.ts";
import type { Sql } from "../storage/sql.ts";

/** A replayed record that failed again. */
export interface FailedReplay {
  readonly eventId: string;
  readonly mark: ReplayMark;
  readonly reason: string;
}

interface Parked {
  /** Failures that were not known yet. */
  readonly fresh: number;
  readonly failedReplays: readonly FailedReplay[];
}

/** Stores reported failures; safe to repeat. Call it inside a transaction. */
export function parkEntries(sql: Sql, entries: readonly DeadLetterEntry[], nowMs: number): Parked {
  let fresh = 0;
  const failedReplays: FailedReplay[] = [];
  for (const entry of entries) {
    const merged = merge(readRow(sql, entry.eventId), entry, nowMs);
    if (merged.row) writeRow(sql, merged.row);
    if (entry.dlqId !== undefined) linkEntry(sql, entry.eventId, entry.dlqId);
    if (!merged.fresh) continue;
    fresh++;
    const mark = entry.record?.replay;
    if (mark) failedReplays.push({ eventId: entry.eventId, mark, reason: entry.reason });
  }
  return { fresh, failedReplays };
}
