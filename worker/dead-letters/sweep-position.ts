/** How far the sweep of QStash's dead-letter queue has come. */
import type { Sql } from "../storage/sql.ts";
import { readNote, writeNote } from "./store.ts";

const NOTE = "sweep";

/** Where the next run continues; `notBeforeMs` after QStash asked for a pause. */
export interface SweepPosition {
  readonly cursor?: string | undefined;
  readonly notBeforeMs?: number | undefined;
}

/** Returns where the sweep continues; empty to start from the beginning. */
export function readSweepPosition(sql: Sql): SweepPosition {
  return (readNote(sql, NOTE) as SweepPosition | undefined) ?? {};
}

/** Stores where the next sweep continues. */
export function keepSweepPosition(sql: Sql, position: SweepPosition): void {
  writeNote(sql, NOTE, position);
}
