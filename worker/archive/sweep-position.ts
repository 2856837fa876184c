/** How far the sweep of QStash's dead-letter queue got. */
import { read } from "./row.ts";

/** Where the next run goes on; `notBeforeMs` after QStash asked for a pause. */
export interface SweepPosition {
  readonly cursor?: string | undefined;
  readonly notBeforeMs?: number | undefined;
}

export function readSweepPosition(sql: SqlStorage): SweepPosition {
  const [note] = read<{ value: string }>(sql, "SELECT value FROM notes WHERE name = 'sweep'");
  return note ? (JSON.parse(note.value) as SweepPosition) : {};
}

export function keepSweepPosition(sql: SqlStorage, position: SweepPosition): void {
  sql.exec("INSERT OR REPLACE INTO notes (name, value) VALUES ('sweep', ?)", JSON.stringify(position));
}
