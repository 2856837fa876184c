import type { Database } from "./database.ts";

/** How long ended messages are kept; milliseconds. */
export interface Retention {
  log: number;
  dlq: number;
}

/** Deletes expired data. Call it inside a write. */
export function purge(database: Database, now: number, retention: Retention): void {
  database.run("DELETE FROM deduplication WHERE expires_at <= ?", now);
  database.run("UPDATE message SET dlq_seq = NULL WHERE dlq_seq IS NOT NULL AND ended_at < ?", now - retention.dlq);
  database.run("DELETE FROM message WHERE ended_at < ? AND dlq_seq IS NULL", now - retention.log);
  database.run("DELETE FROM event WHERE time < ?", now - retention.log);
}
