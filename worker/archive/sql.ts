/** The part of a Durable Object's SQLite that reading and writing rows needs; also what Node's tests can name. */
export interface Sql {
  exec(query: string, ...values: (string | number | null)[]): SqlCursor;
}

type SqlCursor = Iterable<Record<string, unknown>> & { toArray(): Record<string, unknown>[] };
