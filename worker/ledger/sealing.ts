/**
 * Which events a shard delivered in which quarter of an hour, so that each gets into exactly one digest.
 *
 * The write that ends an event also notes its quarter. A closed quarter gets no more events: what is delivered later counts for a
 * later one, whatever the clocks say. So what a closed quarter holds never changes, and it may be read again after a crash.
 */
import { correctedId, eventIdTimeMs } from "../../shared/event-id.ts";
import { quarterAt, quarterStartMs } from "../../shared/evidence/quarter.ts";
import type { Sql } from "../storage/sql.ts";
import { lowestIdAt } from "./retention.ts";

/** One delivered event: event id, organization, leaf as hexadecimal digits. */
export type SealedEvent = readonly [id: string, organization: string, leaf: string];

/** What a shard answers when its quarters are closed. */
export interface Closed {
  /**
   * True: these quarters are closed for good, and the answer to the same question stays the same. False: there are so few events
   * that a row written would cost more than it saves; the next answer holds them again.
   */
  readonly isFrozen: boolean;
  /** Sorted by event id. */
  readonly events: readonly SealedEvent[];
}

/** So many events are answered again rather than closed with a row: one row for more than so many is below 0.1 rows an event. Our choice. */
const FEW_EVENTS = 16;
/** Events are looked for among the ids minted so long before their quarter; older ones are noted one range at a time. Our choice. */
const ON_TIME_MS = 5 * 60_000;

interface Bounds {
  /** The newest quarter that was closed before the ones closed last. */
  readonly since: number;
  /** The newest quarter that is closed. */
  readonly until: number;
}

export class Sealing {
  readonly #sql: Sql;
  #bounds: Bounds | undefined;

  constructor(sql: Sql) {
    this.#sql = sql;
    this.reload();
  }

  /** The quarter of the first event that is not closed for good yet; undefined if none was kept for the evidence. */
  get nextQuarter(): number | undefined {
    return this.#bounds && this.#bounds.until + 1;
  }

  /** Reads the bounds again, after a transaction was rolled back. */
  reload(): void {
    [this.#bounds] = this.#sql.all<Bounds>('SELECT since, "until" FROM closed_quarters');
  }

  /** The quarter of what is delivered now. */
  quarter(nowMs: number): number {
    return Math.max(quarterAt(nowMs), (this.#bounds?.until ?? 0) + 1);
  }

  /** Notes where to look for an event that was delivered in a quarter; writes a row only if it is not among those of its time. */
  delivered(id: string, quarter: number): void {
    // The first event ever decides where the first look begins.
    if (!this.#bounds) this.#keep({ since: quarter - 1, until: quarter - 1 });
    const [from, until] = onTime(quarter, quarter);
    if (id >= from && id < until) return;
    this.#sql.all(
      "INSERT OR IGNORE INTO late_ranges (quarter, from_id, until_id) VALUES (?, ?, ?)",
      quarter,
      ...rangeOf(id),
    );
  }

  /**
   * Closes all quarters up to one, and returns the events of those that were not closed before. Closing the newest again changes
   * nothing. With `mayFreeze` false, the quarter stays open whatever it holds.
   */
  close(quarter: number, mayFreeze: boolean): Closed {
    const bounds = this.#bounds;
    if (!bounds) return { isFrozen: false, events: [] };
    if (quarter <= bounds.until) return { isFrozen: true, events: this.#events(bounds.since, bounds.until) };
    const events = this.#events(bounds.until, quarter);
    if (!mayFreeze || events.length <= FEW_EVENTS) return { isFrozen: false, events };
    this.#sql.transaction(() => {
      this.#keep({ since: bounds.until, until: quarter });
      this.#sql.all("DELETE FROM late_ranges WHERE quarter <= ?", bounds.until);
    });
    return { isFrozen: true, events };
  }

  #keep(bounds: Bounds): void {
    this.#sql.all(
      'INSERT OR REPLACE INTO closed_quarters (id, since, "until") VALUES (1, ?, ?)',
      bounds.since,
      bounds.until,
    );
    this.#bounds = bounds;
  }

  /** The events of the quarters behind one, up to another. */
  #events(since: number, until: number): readonly SealedEvent[] {
    const late = this.#sql.all<{ from_id: string; until_id: string }>(
      "SELECT DISTINCT from_id, until_id FROM late_ranges WHERE quarter > ? AND quarter <= ?",
      since,
      until,
    );
    const ranges = [onTime(since + 1, until), ...late.map(({ from_id, until_id }) => [from_id, until_id] as const)];
    const query = `SELECT id, organization, lower(hex(leaf)) AS leaf FROM ledger
      WHERE id >= ? AND id < ? AND quarter > ? AND quarter <= ?`;
    type Found = { id: string; organization: string; leaf: string };
    const found = ranges.flatMap(([from, to]) => this.#sql.all<Found>(query, from, to, since, until));
    // Ranges may overlap, where an id holds no time.
    const events = new Map(
      found.map(({ id, organization, leaf }): [string, SealedEvent] => [id, [id, organization, leaf]]),
    );
    return [...events.values()].toSorted(([left], [right]) => (left < right ? -1 : 1));
  }
}

/** The ids in which the events of some quarters are looked for, from and until. */
function onTime(first: number, last: number): readonly [from: string, until: string] {
  return [lowestIdAt(quarterStartMs(first) - ON_TIME_MS), lowestIdAt(quarterStartMs(last + 1))];
}

/** The ids minted in the quarter of an id; only that id if it holds no time. */
function rangeOf(id: string): readonly [from: string, until: string] {
  const mintedMs = eventIdTimeMs(correctedId(id) ?? id);
  // A space sorts before each character of an id, so nothing else lies between.
  if (mintedMs === undefined) return [id, `${id} `];
  const quarter = quarterAt(mintedMs);
  return [lowestIdAt(quarterStartMs(quarter)), lowestIdAt(quarterStartMs(quarter + 1))];
}
