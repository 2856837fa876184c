/** `node:sqlite` as the port that the worker's stores take, where they run outside workerd. */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { SqlPort } from "../worker/ledger/store.ts";

/** Wraps a database; statements are prepared once each. */
export function sqlPort(database: DatabaseSync): SqlPort {
  const prepared = new Map<string, StatementSync>();
  return {
    all(query, ...parameters) {
      // Only the schema holds several statements.
      if (query.trimEnd().endsWith(";")) {
        database.exec(query);
        return [];
      }
      const statement = prepared.get(query) ?? database.prepare(query);
      prepared.set(query, statement);
      return statement.all(...parameters);
    },
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
