/** Versions of a database: a release may add steps, and each database runs those it has not run yet. */
import type { Sql } from "./sql.ts";

/**
 * Brings a database to the newest version: runs the steps that its table `versions` does not name, in order, each in one
 * transaction. Version n is the state after the first n steps.
 *
 * A released step never changes, because some databases have already run it. A new step only adds: tables, indexes, or columns that
 * are nullable or have a default. After a rollback, the previous release still works on the database, as long as every insert names
 * its columns.
 *
 * @example
 * migrate(sql, ["CREATE TABLE notes (name TEXT PRIMARY KEY);", "ALTER TABLE notes ADD COLUMN value TEXT;"]);
 */
export function migrate(sql: Sql, steps: readonly string[]): void {
  sql.all("CREATE TABLE IF NOT EXISTS versions (version INTEGER PRIMARY KEY)");
  const [newest] = sql.all<{ version: number | null }>("SELECT max(version) AS version FROM versions");
  const done = newest?.version ?? 0;
  for (const [index, step] of steps.slice(done).entries()) {
    sql.transaction(() => {
      sql.all(step);
      sql.all("INSERT INTO versions (version) VALUES (?)", done + index + 1);
    });
  }
}
