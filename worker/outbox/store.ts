/** The outbox's table: spilled messages in the order of their arrival. */
import { migrate } from "../storage/migration.ts";
import type { Sql } from "../storage/sql.ts";

/** The database, version by version; see `migrate`. The first step is the schema that predates versions. */
export const STEPS: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS outbox (
    seq INTEGER PRIMARY KEY, deduplication_id TEXT NOT NULL UNIQUE, body TEXT NOT NULL, delay_s INTEGER NOT NULL,
    received_ms INTEGER NOT NULL
  );`,
];

export interface Waiting {
  readonly seq: number;
  readonly deduplicationId: string;
  readonly body: string;
  readonly delaySeconds: number;
  readonly receivedMs: number;
}

export interface OutboxStatus {
  readonly waiting: number;
  /** When the oldest waiting message was received; null if none waits. */
  readonly oldestMs: number | null;
  /** Why the newest publish failed; null after a success. */
  readonly failure: string | null;
  /** Size of each shard's database. */
  readonly bytes: readonly number[];
}

export class OutboxStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
    migrate(sql, STEPS);
  }

  /** Stores a message; storing the same one twice has no effect. */
  add(message: Omit<Waiting, "seq">): void {
    this.#sql.all(
      `INSERT INTO outbox (deduplication_id, body, delay_s, received_ms) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
      message.deduplicationId,
      message.body,
      message.delaySeconds,
      message.receivedMs,
    );
  }

  oldest(limit: number): readonly Waiting[] {
    return this.#sql.all("SELECT * FROM outbox ORDER BY seq LIMIT ?", limit).map((row) => ({
      seq: Number(row["seq"]),
      deduplicationId: String(row["deduplication_id"]),
      body: String(row["body"]),
      delaySeconds: Number(row["delay_s"]),
      receivedMs: Number(row["received_ms"]),
    }));
  }

  remove(seq: number): void {
    this.#sql.all("DELETE FROM outbox WHERE seq = ?", seq);
  }

  /** Reads every waiting message; there are few. */
  holds(eventId: string): boolean {
    // SQLite accepts less deeply nested JSON than V8.
    const query = `SELECT 1 FROM outbox WHERE CASE WHEN json_valid(body)
      THEN EXISTS (SELECT 1 FROM json_each(body, '$.records') WHERE value ->> 'id' = ?1)
      ELSE instr(body, ?1) END LIMIT 1`;
    return this.#sql.all(query, eventId).length > 0;
  }

  status(): Pick<OutboxStatus, "waiting" | "oldestMs"> {
    const [row] = this.#sql.all("SELECT COUNT(*) AS waiting, MIN(received_ms) AS oldest FROM outbox");
    return { waiting: Number(row?.["waiting"] ?? 0), oldestMs: (row?.["oldest"] as number | null | undefined) ?? null };
  }
}
