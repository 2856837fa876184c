/** The SQL port: a SQLite database as every store takes it. A Durable Object, `node:sqlite` and the simulation each provide one. */

export type SqlValue = string | number | null;

export interface Sql {
  /**
   * Runs a query and returns its rows, which the caller knows to fit `T`. A text that ends in a semicolon may hold several
   * statements; it takes no values and returns no rows.
   */
  all<T = Record<string, unknown>>(query: string, ...values: readonly SqlValue[]): T[];
  /** The same, one row at a time, for rows that are too large to hold together. */
  each<T = Record<string, unknown>>(query: string, ...values: readonly SqlValue[]): Iterable<T>;
  /** Runs `work` in one transaction, which is rolled back if it throws. */
  transaction<T>(work: () => T): T;
}
