/** Named numbers that a shard stores about itself. */
import type { Sql } from "../storage/sql.ts";

/**
 * `had_rows`: 1 if the shard held records when the number of shards changed. `former_until_ms`: see `FormerShard`. `forgotten_ms`: see
 * `Retention`.
 */
type NoteName = "had_rows" | "former_until_ms" | "forgotten_ms";

export class Notes {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  get(name: NoteName): number | undefined {
    const [row] = this.#sql.all<{ value: number }>("SELECT value FROM shard_notes WHERE name = ?", name);
    return row?.value;
  }

  put(name: NoteName, value: number): void {
    this.#sql.all("INSERT OR REPLACE INTO shard_notes (name, value) VALUES (?, ?)", name, value);
  }
}
