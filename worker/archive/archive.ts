/** The archive of dead letters: one SQLite Durable Object, which also runs the replays. */
import { DurableObject } from "cloudflare:workers";
import type { Env } from "../env.ts";
import type { Position } from "./cursor.ts";
import type { DeadLetterEntry } from "./dead-letter.ts";
import { discardEntry, type Discarded } from "./discard.ts";
import { parkEntries } from "./park.ts";
import { groups, page, whereOf, type Filter, type Group, type GroupBy } from "./query.ts";
import { considerRemovals, sighted, unsighted } from "./removals.ts";
import { readRow, type DeadLetterState, type Row, type Summary } from "./row.ts";
import { createSchema } from "./schema.ts";
import { keepSweepPosition, readSweepPosition, type SweepPosition } from "./sweep-position.ts";

export interface PageQuery {
  readonly filter: Filter;
  readonly states: readonly DeadLetterState[] | undefined;
  readonly limit: number;
  readonly after: Position | undefined;
}

export class Archive extends DurableObject<Env> {
  readonly #sql: SqlStorage;

  constructor(state: DurableObjectState, env: Env) {
    super(state, env);
    this.#sql = state.storage.sql;
    createSchema(this.#sql);
  }

  /**
   * Takes dead letters; safe to repeat. `lookedAt` names entries of QStash's own dead-letter queue that need no second look.
   * Answers how many failures were new.
   */
  park(entries: readonly DeadLetterEntry[], lookedAt: readonly string[] = []): number {
    const nowMs = Date.now();
    return this.ctx.storage.transactionSync(() => {
      const { fresh } = parkEntries(this.#sql, entries, nowMs);
      sighted(this.#sql, lookedAt, nowMs);
      considerRemovals(
        this.#sql,
        entries.filter((entry) => entry.dlqId !== undefined).map((entry) => entry.eventId),
        nowMs,
      );
      return fresh;
    });
  }

  /** Those of QStash's dead letters that the archive has not looked at. */
  unsighted(dlqIds: readonly string[]): string[] {
    return unsighted(this.#sql, dlqIds);
  }

  sweepPosition(): SweepPosition {
    return readSweepPosition(this.#sql);
  }

  keepSweepPosition(position: SweepPosition): void {
    keepSweepPosition(this.#sql, position);
  }

  page(query: PageQuery): Summary[] {
    return page(this.#sql, whereOf(query.filter, query.states), query.limit, query.after, false);
  }

  wholePage(query: PageQuery): Row[] {
    return page(this.#sql, whereOf(query.filter, query.states), query.limit, query.after, true) as Row[];
  }

  groups(
    filter: Filter,
    states: readonly DeadLetterState[] | undefined,
    by: GroupBy,
  ): { groups: Group[]; total: number } {
    return groups(this.#sql, whereOf(filter, states), by);
  }

  entry(eventId: string): Row | undefined {
    return readRow(this.#sql, eventId);
  }

  discard(eventId: string, reason: string, by: string): Discarded {
    return discardEntry(this.#sql, eventId, { reason, by, at: new Date().toISOString() });
  }
}
