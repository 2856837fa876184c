import type { Database } from "./database.ts";

/** A FIFO queue: at most `parallelism` of its messages are under way, in order of acceptance. */
export interface QueueRow {
  name: string;
  parallelism: number;
  paused: number;
  created_at: number;
  updated_at: number;
}

/** A queue by its name, or undefined. */
export function findQueue(database: Database, name: string): QueueRow | undefined {
  return database.one<QueueRow>("SELECT * FROM queue WHERE name = ?", name);
}

/** All queues, by name. */
export function listQueues(database: Database): QueueRow[] {
  return database.all<QueueRow>("SELECT * FROM queue ORDER BY name");
}

/** Creates or changes a queue; missing values stay, or default to one at a time and not paused. Call it inside a write. */
export function saveQueue(
  database: Database,
  name: string,
  changes: { parallelism?: number | undefined; paused?: boolean | undefined },
  now: number,
): void {
  const old = findQueue(database, name);
  database.run(
    "INSERT OR REPLACE INTO queue (name, parallelism, paused, created_at, updated_at) VALUES (?, ?, ?, ?, ?)",
    name,
    changes.parallelism ?? old?.parallelism ?? 1,
    Number(changes.paused ?? old?.paused === 1),
    old?.created_at ?? now,
    now,
  );
}

/** Messages of a queue that have not ended. */
export function queueLag(database: Database, name: string): number {
  const sql = "SELECT count(*) AS n FROM message WHERE lane = ? AND ended_at IS NULL";
  return (database.one<{ n: number }>(sql, `queue:${name}`) as { n: number }).n;
}
