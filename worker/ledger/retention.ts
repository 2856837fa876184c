/** What a shard forgets: everything after its retention, and the oldest ended records earlier if it is nearly full. */
import { correctedId, eventIdTimeMs, mintEventId } from "../../shared/event-id.ts";
import { IDEMPOTENCY_SAFE_MS, IDEMPOTENCY_WINDOW_MS, LEDGER_RETENTION_MS } from "../../shared/limits.ts";
import type { Sql } from "../storage/sql.ts";
import type { Notes } from "./notes.ts";

const DAY_MS = 86_400_000;
/** Rows that one step removes. */
const PRUNE_SLICE_ROWS = 5_000;
const EARLY_SLICE_ROWS = 500;
/** Early slices between two calls to the shard. Our choice. */
const EARLY_SLICES = 10;

export class Retention {
  readonly #sql: Sql;
  readonly #notes: Notes;
  /** When the newest record that was forgotten early was minted; 0 if there is none. */
  #forgottenMs: number;

  constructor(sql: Sql, notes: Notes) {
    this.#sql = sql;
    this.#notes = notes;
    this.#forgottenMs = notes.get("forgotten_ms") ?? 0;
  }

  /** When the newest record that was forgotten early was minted, ms since the epoch; 0 if there is none. */
  get forgottenMs(): number {
    return this.#forgottenMs;
  }

  /**
   * Whether the shard may have forgotten this unknown id early, after WorkOS forgot its key. `otherwiseMs` is the time of an id
   * that contains none.
   */
  isForgotten(id: string, otherwiseMs: number, nowMs: number): boolean {
    const atMs = mintedMs(id, otherwiseMs);
    return this.#forgottenMs > 0 && atMs <= this.#forgottenMs && nowMs - atMs >= IDEMPOTENCY_SAFE_MS;
  }

  /**
   * Forgets records last changed before the retention, at most one slice; true if more may remain. A UUIDv7 sorts by time, so it
   * reads only ids below the retention and above tomorrow: the others are younger, or come into range later.
   */
  prune(nowMs: number): boolean {
    this.#sql.all("DELETE FROM waiting WHERE touched_ms < ?", nowMs - IDEMPOTENCY_WINDOW_MS);
    const query = `DELETE FROM ledger WHERE id IN (
      SELECT id FROM ledger WHERE (id < ? OR id > ?) AND touched_ms < ? LIMIT ${PRUNE_SLICE_ROWS}) RETURNING id`;
    const oldMs = nowMs - LEDGER_RETENTION_MS;
    return this.#sql.all(query, lowestIdAt(oldMs), lowestIdAt(nowMs + DAY_MS), oldMs).length === PRUNE_SLICE_ROWS;
  }

  /**
   * Forgets the oldest delivered or discarded records while `isFull`; true if more may remain. Keeps rejected records, because
   * their dead letters are open.
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
      // If sealing has failed for so long that nothing else is left, delivery is more important than the evidence.
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

/** Returns when an event id was minted, ms since the epoch; `otherwiseMs` if the id does not tell. */
export function mintedMs(id: string, otherwiseMs: number): number {
  return eventIdTimeMs(correctedId(id) ?? id) ?? otherwiseMs;
}

/** The lowest event id of a time. */
export function lowestIdAt(ms: number): string {
  return mintEventId(Math.max(ms, 0), new Uint8Array(9), 0).slice(0, 13);
}
