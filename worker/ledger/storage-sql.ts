/** A Durable Object's SQLite as the port that the stores need. */
import type { SqlPort } from "./store.ts";

/** A Durable Object's storage as the port that the ledger's store takes. */
export function storageSql(storage: DurableObjectStorage): SqlPort {
  return {
    all: (query, ...parameters) => storage.sql.exec(query, ...parameters).toArray(),
    transaction: (run) => storage.transactionSync(run),
  };
}
