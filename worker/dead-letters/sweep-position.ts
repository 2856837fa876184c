/** How far the sweep of QStash's dead-letter queue got. */

import type { Sql } from "../storage/sql.ts";

/** Where the next run goes on; `notBeforeMs` after QStash asked for a pause. */
export interface SweepPosition {
  readonly cursor?: string | undefined;
  readonly notBeforeMs?: number | undefined;
}

/** Returns where the sweep goes on; empty for the beginning. */
export function readSweepPosition(sql: Sql): SweepPosition {
  const [note] = sql.all<{ value: string }>("SELECT value FROM notes WHERE name = 'sweep'");
  return note ? (JSON.parse(note.value) as SweepPosition) : {};
}

/** Remembers where the next sweep goes on. */
export function keepSweepPosition(sql: Sql, position: SweepPosition): void {
  sql.all("INSERT OR REPLACE INTO notes (name, value) VALUES ('sweep', ?)", JSON.stringify(position));
}
