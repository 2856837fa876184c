/** What was delivered, retried and refused over time: stored per minute for 48 hours and per hour for 90 days. */
import type { Sql } from "../storage/sql.ts";
import type { Numbers } from "../numbers.ts";

export const MINUTE_S = 60;
export const HOUR_S = 3_600;
/** How long minutes and hours are kept. */
export const MINUTES_KEPT_S = 48 * HOUR_S;
export const HOURS_KEPT_S = 90 * 24 * HOUR_S;
/** Longest time that counts wait in memory, because each write is billed. Our choice. */
const SAVE_EVERY_MS = 60_000;

/** What was counted in one minute: `delivered`, `retried`, `refused`, and ages as `age_<bucket>`. */
export interface Slot {
  /** Start of the minute, in seconds since the epoch. */
  readonly atS: number;
  readonly numbers: Numbers;
}

/** Prefix of states, of which the newest value counts; all other numbers are summed. */
export const GAUGE_PREFIX = "now_";

const TABLES = [
  { table: "minutes", sizeS: MINUTE_S, keptS: MINUTES_KEPT_S },
  { table: "hours", sizeS: HOUR_S, keptS: HOURS_KEPT_S },
] as const;

export class History {
  readonly #sql: Sql;
  #pending: Slot[] = [];
  #savedMs = 0;
  #sampledMs = 0;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** When the counts in memory must be written; Infinity if there are none. */
  get dueMs(): number {
    return this.#pending.length === 0 ? Infinity : this.#savedMs + SAVE_EVERY_MS;
  }

  /** When the states were last sampled since the start; 0 if never. */
  get sampledMs(): number {
    return this.#sampledMs;
  }

  /** Adds counts, and writes them unless the last write was a moment ago. */
  add(slots: readonly Slot[], nowMs: number): void {
    this.#pending.push(...slots);
    if (nowMs >= this.dueMs) this.save(nowMs);
  }

  /** Adds a sample of states, whose names begin with `GAUGE_PREFIX`. */
  sample(gauges: Numbers, nowMs: number): void {
    this.#sampledMs = nowMs;
    this.add([{ atS: slotOf(nowMs / 1_000, MINUTE_S), numbers: gauges }], nowMs);
  }

  /** Writes the counts in memory, and removes old ones. */
  save(nowMs: number): void {
    const pending = this.#pending;
    if (pending.length === 0) return;
    // First, so that a failed write is not repeated at once.
    this.#savedMs = nowMs;
    this.#sql.transaction(() => {
      for (const { table, sizeS, keptS } of TABLES) {
        for (const [atS, slots] of Map.groupBy(pending, (slot) => slotOf(slot.atS, sizeS))) {
          this.#write(table, atS, slots);
        }
        this.#sql.all(`DELETE FROM ${table} WHERE at_s < ?`, Math.floor(nowMs / 1_000) - keptS);
      }
    });
    this.#pending = [];
  }

  /** Returns the minutes or hours of a period, oldest first. Writes pending counts first, so that a shown count never goes back. */
  read(table: "minutes" | "hours", fromS: number, untilS: number, nowMs: number): readonly Slot[] {
    this.save(nowMs);
    const query = `SELECT at_s, numbers FROM ${table} WHERE at_s >= ? AND at_s < ? ORDER BY at_s`;
    return this.#sql
      .all<{ at_s: number; numbers: string }>(query, fromS, untilS)
      .map(({ at_s, numbers }) => ({ atS: at_s, numbers: JSON.parse(numbers) as Numbers }));
  }

  #write(table: "minutes" | "hours", atS: number, slots: readonly Slot[]): void {
    const [known] = this.#sql.all<{ numbers: string }>(`SELECT numbers FROM ${table} WHERE at_s = ?`, atS);
    const before = known ? [JSON.parse(known.numbers) as Numbers] : [];
    const numbers = mergeNumbers([...before, ...slots.map((slot) => slot.numbers)]);
    this.#sql.all(`INSERT OR REPLACE INTO ${table} (at_s, numbers) VALUES (?, ?)`, atS, JSON.stringify(numbers));
  }
}

/** Sums counts; of states, the newest value counts. */
export function mergeNumbers(parts: readonly Numbers[]): Numbers {
  const merged: Record<string, number> = {};
  for (const part of parts) {
    for (const [name, value] of Object.entries(part)) {
      merged[name] = name.startsWith(GAUGE_PREFIX) ? value : (merged[name] ?? 0) + value;
    }
  }
  return merged;
}

/** Returns the start of the slot that holds a time, both in seconds. */
export function slotOf(atS: number, sizeS: number): number {
  return Math.floor(atS / sizeS) * sizeS;
}
