/**
 * Which events a shard delivered in which quarter of an hour, so that each one goes into exactly one digest.
 *
 * The write that ends an event also stores its quarter. A closed quarter gets no more events: later deliveries count for a later
 * quarter, whatever the clocks say. So a closed quarter never changes, and can be read again after a crash.
 */
import { correctedId, eventIdTimeMs } from "../../shared/event-id.ts";
import { quarterAt, quarterStartMs } from "../../shared/evidence/quarter.ts";
import type { Sql } from "../storage/sql.ts";
import { lowestIdAt } from "./retention.ts";

/** One delivered event: event id, organization, leaf as hexadecimal digits. */
export type SealedEvent = readonly [id: string, organization: string, leaf: string];

/** A shard's answer when its quarters are closed. */
export interface Closed {
  /**
   * True: these quarters are closed for good, and the same question gets the same answer. False: there are so few events that
   * writing a row would cost more than it saves; the next answer holds them again.
   */
  readonly isFrozen: boolean;
  /** Sorted by event id. */
  readonly events: readonly SealedEvent[];
}

/**
 * Most events that are returned again instead of closed with a row. One row for more events stays below 0.1 rows per event. Our
 * choice.
 */
const FEW_EVENTS = 16;
/** How long before their quarter events are searched among the minted ids; older ones are noted one range at a time. Our choice. */
const ON_TIME_MS = 5 * 60_000;

interface Bounds {
  /** The newest quarter that was closed before the last call. */
  readonly since: number;
  /** The newest closed quarter. */
  readonly until: number;
}

export class Sealing {
  readonly #sql: Sql;
  #bounds: Bounds | undefined;

  constructor(sql: Sql) {
    this.#sql = sql;
    this.reload();
  }

  /** The quarter of the first event that is not closed for good; undefined if none was kept for the evidence. */
  get nextQuarter(): number | undefined {
    return this.#bounds && this.#bounds.until + 1;
  }

  /** Reads the bounds again, after a transaction was rolled back. */
  reload(): void {
    [this.#bounds] = this.#sql.all<Bounds>('SELECT since, "until" FROM closed_quarters');
  }

  /** The quarter of current deliveries. */
  quarter(nowMs: number): number {
    return Math.max(quarterAt(nowMs), (this.#bounds?.until ?? 0) + 1);
  }

  /** Notes where to find an event that was delivered in a quarter; writes a row only if its id lies outside the searched range. */
  delivered(id: string, quarter: number): void {
    // The first event ever decides where the first search begins.
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
   * Closes all quarters up to one, and returns the events of those that were not closed before. Closing the newest one again
   * changes nothing. With `mayFreeze` false, the quarter always stays open.
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

  /** The events of the quarters after one, up to another. */
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
    // Ranges may overlap if an id holds no time.
    const events = new Map(
      found.map(({ id, organization, leaf }): [string, SealedEvent] => [id, [id, organization, leaf]]),
    );
    return [...events.values()].toSorted(([left], [right]) => (left < right ? -1 : 1));
  }
}

/** The range of ids, from and until, in which the events of some quarters are searched. */
function onTime(first: number, last: number): readonly [from: string, until: string] {
  return [lowestIdAt(quarterStartMs(first) - ON_TIME_MS), lowestIdAt(quarterStartMs(last + 1))];
}

/** The range of ids minted in the quarter of an id; only that id if it holds no time. */
function rangeOf(id: string): readonly [from: string, until: string] {
  const mintedMs = eventIdTimeMs(correctedId(id) ?? id);
  // A space sorts before each character of an id, so nothing else lies in between.
  if (mintedMs === undefined) return [id, `${id} `];
  const quarter = quarterAt(mintedMs);
  return [lowestIdAt(quarterStartMs(quarter)), lowestIdAt(quarterStartMs(quarter + 1))];
}
