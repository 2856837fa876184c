/** The worker's ledger over SQLite in memory. */
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { Book } from "../../worker/ledger/book.ts";
import type { LedgerPort } from "../../worker/ledger/types.ts";
import type { SqlPort } from "../../worker/ledger/store.ts";

export interface MemoryLedger extends LedgerPort {
  close(): void;
}

export function memoryLedger(): MemoryLedger {
  const database = new DatabaseSync(":memory:");
  const book = new Book(sqlPort(database));
  return {
    claim: (lease, claims, nowMs) => Promise.resolve(book.claim(lease, claims, nowMs)),
    settle: (lease, settlements, nowMs) => Promise.resolve(book.settle(lease, settlements, nowMs)),
    close: () => database.close(),
  };
}

function sqlPort(database: DatabaseSync): SqlPort {
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
