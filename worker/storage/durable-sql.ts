/** A Durable Object's SQLite as an SQL port. */
import type { Sql, SqlValue } from "./sql.ts";

/** The database of a Durable Object. https://developers.cloudflare.com/durable-objects/api/sqlite-storage-api/ */
export function durableSql(storage: DurableObjectStorage): Sql {
  return {
    all: <T>(query: string, ...values: readonly SqlValue[]) => storage.sql.exec(query, ...values).toArray() as T[],
    each: <T>(query: string, ...values: readonly SqlValue[]) =>
      storage.sql.exec(query, ...values) as unknown as Iterable<T>,
    transaction: (work) => storage.transactionSync(work),
  };
}
