/** The SQL port: the SQLite database that each store uses. A Durable Object, `node:sqlite` and the simulation each provide one. */

export type SqlValue = string | number | null;

export interface Sql {
  /**
   * Runs a query and returns its rows; the caller guarantees that they fit `T`. A query that ends in a semicolon may hold several
   * statements; it binds no values and returns no rows.
   */
  all<T = Record<string, unknown>>(query: string, ...values: readonly SqlValue[]): T[];
  /** Yields one row at a time, for rows that are too large to hold together. */
  each<T = Record<string, unknown>>(query: string, ...values: readonly SqlValue[]): Iterable<T>;
  /** Runs `work` in one transaction, which is rolled back if it throws. */
  transaction<T>(work: () => T): T;
}
