/** `node:sqlite` as the SQL port of the worker's stores, for use outside workerd. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Sql, SqlValue } from "../worker/storage/sql.ts";

/** Wraps a database; prepares each statement once. */
export function sqlPort(database: DatabaseSync): Sql {
  const prepared = new Map<string, StatementSync>();
  const statementOf = (query: string) => {
    const statement = prepared.get(query) ?? database.prepare(query);
    prepared.set(query, statement);
    return statement;
  };
  return {
    all<T>(query: string, ...values: readonly SqlValue[]) {
      if (!query.trimEnd().endsWith(";")) return statementOf(query).all(...values) as T[];
      database.exec(query);
      return [];
    },
    each: <T>(query: string, ...values: readonly SqlValue[]) => statementOf(query).iterate(...values) as Iterable<T>,
    transaction(run) {
      database.exec("BEGIN");
      try {
        const result = run();
        database.exec("COMMIT");
        return result;
      } catch (error) {
        database.exec("ROLLBACK");
        throw error;
      }
    },
  };
}
