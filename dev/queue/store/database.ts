import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { AuditError } from "../../../shared/errors.ts";
import { SCHEMA_STEPS } from "./schema.ts";

/** The queue's SQLite file; each statement is prepared once. */
export interface Database {
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows the row its SQL selects
  one<Row>(sql: string, ...values: SQLInputValue[]): Row | undefined;
  all<Row>(sql: string, ...values: SQLInputValue[]): Row[];
  /** Runs one change; only inside {@link Database.write}. */
  run(sql: string, ...values: SQLInputValue[]): { changes: number; id: number };
  /** Runs `change` now and resolves with its result once it is on disk. */
  write<T>(change: () => T): Promise<T>;
  /** Stops the file from growing, as a full disk would, until called again: writes fail with SQLITE_FULL. */
  setFull(isFull: boolean): void;
  close(): void;
}

/** The most pages a file can have, which is also the default (sqlite.org/limits.html, number 15). */
const PAGES_MAX = 4_294_967_294;

/** SQLite's result code for a file that another connection has locked. */
const SQLITE_BUSY = 5;

/**
 * Opens (or makes) the file at `path`; `":memory:"` keeps nothing.
 *
 * Errors: `database_in_use` if another process has it open, `database_unreadable` if it is not a queue's file.
 */
export function openDatabase(path: string): Database {
  try {
    if (path !== ":memory:") mkdirSync(dirname(path), { recursive: true });
    const sqlite = new DatabaseSync(path);
    // WAL with FULL: a commit has been flushed to disk before it returns (sqlite.org/pragma.html#pragma_synchronous).
    // EXCLUSIVE: two queues on one file would deliver everything twice.
    sqlite.exec("PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
    migrate(sqlite);
    return wrap(sqlite);
  } catch (error) {
    if ((error as { errcode?: number }).errcode === SQLITE_BUSY) {
      throw new AuditError("database_in_use", `another queue has "${path}" open: stop it, or choose another "--path"`, {
        cause: error,
      });
    }
    const reason = error instanceof Error ? error.message : String(error);
    throw new AuditError("database_unreadable", `"${path}" cannot be opened (${reason}): choose another "--path"`, {
      cause: error,
    });
  }
}

/** Updates a new or older file to the current tables. `user_version` counts the steps that a file has run. */
function migrate(sqlite: DatabaseSync): void {
  sqlite.exec("BEGIN EXCLUSIVE");
  const { user_version: done } = sqlite.prepare("PRAGMA user_version").get() as { user_version: number };
  if (done > SCHEMA_STEPS.length) throw new Error("a newer version of the queue wrote it");
  for (const step of SCHEMA_STEPS.slice(done)) sqlite.exec(step);
  sqlite.exec(`PRAGMA user_version = ${SCHEMA_STEPS.length}; COMMIT`);
}

function wrap(sqlite: DatabaseSync): Database {
  const statements = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    let statement = statements.get(sql);
    if (statement === undefined) statements.set(sql, (statement = sqlite.prepare(sql)));
    return statement;
  };
  return {
    // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- as declared
    one: <Row>(sql: string, ...values: SQLInputValue[]) => prepare(sql).get(...values) as Row | undefined,
    all: <Row>(sql: string, ...values: SQLInputValue[]) => prepare(sql).all(...values) as Row[],
    run(sql, ...values) {
      const { changes, lastInsertRowid } = prepare(sql).run(...values);
      return { changes: Number(changes), id: Number(lastInsertRowid) };
    },
    // SQLite raises a limit below the file's size to that size (sqlite.org/pragma.html#pragma_max_page_count).
    setFull: (isFull) => sqlite.exec(`PRAGMA max_page_count = ${isFull ? 1 : PAGES_MAX}`),
    ...groupCommit(sqlite),
  };
}

/**
 * Changes of one turn of the event loop share one commit, so that a burst of publishes costs one flush. Each change has its own
 * savepoint and resolves only after the commit.
 */
function groupCommit(sqlite: DatabaseSync): Pick<Database, "write" | "close"> {
  let waiting: { done: () => void; failed: (error: unknown) => void }[] | undefined;

  function commit(): void {
    const group = waiting ?? [];
    waiting = undefined;
    try {
      sqlite.exec("COMMIT");
    } catch (error) {
      if (sqlite.isTransaction) sqlite.exec("ROLLBACK");
      for (const { failed } of group) failed(error);
      return;
    }
    for (const { done } of group) done();
  }

  return {
    write<T>(change: () => T): Promise<T> {
      if (waiting === undefined) {
        sqlite.exec("BEGIN IMMEDIATE");
        waiting = [];
        setImmediate(() => waiting && commit());
      }
      const group = waiting;
      sqlite.exec("SAVEPOINT one");
      try {
        const result = change();
        sqlite.exec("RELEASE one");
        return new Promise<T>((resolve, reject) => group.push({ done: () => resolve(result), failed: reject }));
      } catch (error) {
        sqlite.exec("ROLLBACK TO one; RELEASE one");
        return Promise.reject(error);
      }
    },
    close() {
      if (waiting !== undefined) commit();
      sqlite.close();
    },
  };
}
