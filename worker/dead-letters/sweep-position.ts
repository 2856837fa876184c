/** How far the sweep of QStash's dead-letter queue got. */
import type { Sql } from "../storage/sql.ts";
import { readNote, writeNote } from "./store.ts";

const NOTE = "sweep";

/** Where the next run goes on; `notBeforeMs` after QStash asked for a pause. */
export interface SweepPosition {
  readonly cursor?: string | undefined;
  readonly notBeforeMs?: number | undefined;
}

/** Returns where the sweep goes on; empty for the beginning. */
export function readSweepPosition(sql: Sql): SweepPosition {
  return (readNote(sql, NOTE) as SweepPosition | undefined) ?? {};
}

/** Remembers where the next sweep goes on. */
export function keepSweepPosition(sql: Sql, position: SweepPosition): void {
  writeNote(sql, NOTE, position);
}
