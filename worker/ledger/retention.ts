/** What a shard forgets: everything after its retention, and the oldest ended records earlier if the shard is nearly full. */
import { correctedId, eventIdTimeMs, mintEventId } from "../../shared/event-id.ts";
import { IDEMPOTENCY_SAFE_MS, IDEMPOTENCY_WINDOW_MS, LEDGER_RETENTION_MS } from "../../shared/limits.ts";
import type { Sql } from "../storage/sql.ts";
import type { Notes } from "./notes.ts";

const DAY_MS = 86_400_000;
/** Rows that one step removes. */
const PRUNE_SLICE_ROWS = 5_000;
const EARLY_SLICE_ROWS = 500;
/** Early slices between two looks of others at the shard. Our choice. */
const EARLY_SLICES = 10;

export class Retention {
  readonly #sql: Sql;
  readonly #notes: Notes;
  /** The newest record that was forgotten early was minted then; 0: none was. */
  #forgottenMs: number;

  constructor(sql: Sql, notes: Notes) {
    this.#sql = sql;
    this.#notes = notes;
    this.#forgottenMs = notes.get("forgotten_ms") ?? 0;
  }

  /** When the newest record that was forgotten early was minted, ms since the epoch; 0 if none was. */
  get forgottenMs(): number {
    return this.#forgottenMs;
  }

  /**
   * Whether an id that the shard does not know may be one that it forgot early, and WorkOS no longer remembers its key. `otherwiseMs`
   * dates an id that contains no time.
   */
  isForgotten(id: string, otherwiseMs: number, nowMs: number): boolean {
    const atMs = mintedMs(id, otherwiseMs);
    return this.#forgottenMs > 0 && atMs <= this.#forgottenMs && nowMs - atMs >= IDEMPOTENCY_SAFE_MS;
  }

  /**
   * Forgets what was last touched before the retention, at most one slice; true where more may remain. A UUIDv7 sorts by time, so only
   * ids below the retention and above tomorrow need to be looked at: the others are either younger or come into reach later.
   */
  prune(nowMs: number): boolean {
    this.#sql.all("DELETE FROM waiting WHERE touched_ms < ?", nowMs - IDEMPOTENCY_WINDOW_MS);
    const query = `DELETE FROM ledger WHERE id IN (
      SELECT id FROM ledger WHERE (id < ? OR id > ?) AND touched_ms < ? LIMIT ${PRUNE_SLICE_ROWS}) RETURNING id`;
    const oldMs = nowMs - LEDGER_RETENTION_MS;
    return this.#sql.all(query, lowestIdAt(oldMs), lowestIdAt(nowMs + DAY_MS), oldMs).length === PRUNE_SLICE_ROWS;
  }

  /**
   * Forgets the oldest records that were delivered or discarded, while `isFull`; true where more may remain. A rejected record is kept,
   * because its dead letter is open.
   */
  forgetEarly(isFull: () => boolean): boolean {
    for (let slice = 0; slice < EARLY_SLICES; slice++) {
      if (!isFull()) return false;
      if (!this.#forgetSlice()) return false;
    }
    return true;
  }

  /** False if nothing is left to forget. */
  #forgetSlice(): boolean {
    return this.#sql.transaction(() => {
      const sealed = this.#deleteEnded('(quarter IS NULL OR quarter <= (SELECT "until" FROM closed_quarters))');
      // If sealing has failed for so long that nothing else is left, delivering goes before the evidence.
      const gone = sealed.length > 0 ? sealed : this.#deleteEnded("1");
      const newestMs = Math.max(this.#forgottenMs, ...gone.map(({ id, occurredMs }) => mintedMs(id, occurredMs)));
      if (newestMs > this.#forgottenMs) this.#notes.put("forgotten_ms", newestMs);
      this.#forgottenMs = newestMs;
      return gone.length > 0;
    });
  }

  #deleteEnded(condition: string): readonly { readonly id: string; readonly occurredMs: number }[] {
    return this.#sql.all(`DELETE FROM ledger WHERE id IN (
      SELECT id FROM ledger WHERE state IN (1, 3) AND lease IS NULL AND ${condition} ORDER BY id LIMIT ${EARLY_SLICE_ROWS})
      RETURNING id, occurred_ms AS occurredMs`);
  }
}

/** When an event id was minted, ms since the epoch; `otherwiseMs` if it does not say. */
export function mintedMs(id: string, otherwiseMs: number): number {
  return eventIdTimeMs(correctedId(id) ?? id) ?? otherwiseMs;
}

/** The lowest event id of a time. */
export function lowestIdAt(ms: number): string {
  return mintEventId(Math.max(ms, 0), new Uint8Array(9), 0).slice(0, 13);
}
