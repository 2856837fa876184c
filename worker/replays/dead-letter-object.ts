/**
 * The Durable Object that keeps the dead letters and runs their replays, in one database. Almost no logic. Deployed data fixes its
 * name.
 */
import { DurableObject } from "cloudflare:workers";
import type { ReplayOutcome } from "../../shared/api.ts";
import { environmentOf, type Env, type PlatformEnv } from "../env.ts";
import { parseSettings } from "../variables.ts";
import { fatesOf, lookup } from "../ledger/client.ts";
import type { RequestSearch, SequenceRun } from "../ledger/types.ts";
import { publishBatch } from "../qstash/batch.ts";
import { removeFromDlq } from "../qstash/dlq.ts";
import { controlReplay, type Control, type Controlled } from "./control.ts";
import { createReplay } from "./new-replay.ts";
import { nextDueMs, runDue } from "./engine.ts";
import { finishReplays } from "./finished-replays.ts";
import { failReplayed } from "./items.ts";
import type { ReplayCalls } from "./client.ts";
import type { ReplayRequest } from "./request.ts";
import { judge } from "./settlement.ts";
import { prunePlans, usePlan } from "./stored-plan.ts";
import { findReplay, listItems, listReplays, newId, takeBackOrphans, type ItemRow, type ReplayRow } from "./store.ts";
import type { DeadLetterGroup, DeadLetterState } from "../../shared/dead-letter.ts";
import type { DeadLetterCalls, PageQuery } from "../dead-letters/client.ts";
import { countPeriod, type PeriodCounts } from "../dead-letters/counts.ts";
import type { DeadLetterEntry } from "../dead-letters/entry.ts";
import { discardEntry, type Discarded } from "../dead-letters/discard.ts";
import { setOperatorEventsAside } from "../dead-letters/operator-events.ts";
import { parkEntries } from "../dead-letters/parked-entries.ts";
import { whereOf, type Filter, type Group, type Page } from "../dead-letters/query.ts";
import type { DeadLetterRow, DeadLetterSummary } from "../dead-letters/row.ts";
import {
  considerRemovals,
  countImported,
  groups,
  idsAfter,
  idsOfRequest,
  markSeen,
  page,
  readRow,
  readSequences,
  unseen,
  wholePage,
  writeRow,
} from "../dead-letters/store.ts";
import { reconcile } from "../dead-letters/reconciliation.ts";
import { rereadUnreadable } from "../dead-letters/rereading.ts";
import { STEPS } from "./schema.ts";
import { keepSweepPosition, readSweepPosition, type SweepPosition } from "../dead-letters/sweep-position.ts";
import { migrate } from "../storage/migration.ts";
import { durableSql } from "../storage/durable-sql.ts";
import type { Sql } from "../storage/sql.ts";

/** Pause while the variables are wrong. Our choice. */
const UNCONFIGURED_RETRY_MS = 60_000;

export class Archive extends DurableObject<Env> implements DeadLetterCalls, ReplayCalls {
  readonly #sql: Sql;
  /** Where rereading the unreadable entries continues; undefined once it is done, until the next start. */
  #rereadAfter: string | undefined = "";

  constructor(state: DurableObjectState, platformEnv: PlatformEnv) {
    const env = environmentOf(platformEnv);
    super(state, env);
    this.#sql = durableSql(state.storage);
    migrate(this.#sql, STEPS);
    takeBackOrphans(this.#sql);
    prunePlans(this.#sql, this.env.clock.now());
    // A lost alarm must not stop a replay for good. The cron calls this object every few minutes.
    void state.blockConcurrencyWhile(() => this.#schedule());
  }

  async park(reported: readonly DeadLetterEntry[], seen: readonly string[] = []): Promise<number> {
    const entries = await setOperatorEventsAside(this.env, reported);
    const nowMs = this.env.clock.now();
    const fresh = this.#sql.transaction(() => {
      const parked = parkEntries(this.#sql, entries, nowMs);
      for (const seq of failReplayed(this.#sql, parked.failedReplays, nowMs)) judge(this.#sql, seq);
      markSeen(this.#sql, seen, nowMs);
      const linked = entries.filter((entry) => entry.dlqId !== undefined).map((entry) => entry.eventId);
      considerRemovals(this.#sql, linked, nowMs);
      return parked.fresh;
    });
    await this.#schedule();
    return fresh;
  }

  sequences(sinceMs: number, untilMs: number): SequenceRun[] {
    return readSequences(this.#sql, sinceMs, untilMs);
  }

  imported(sinceMs: number, untilMs: number): number {
    return countImported(this.#sql, sinceMs, untilMs);
  }

  unsighted(dlqIds: readonly string[]): string[] {
    return unseen(this.#sql, dlqIds);
  }

  async reconcile(): Promise<number> {
    const closed = await reconcile(this.#sql, (ids) => lookup(this.env, ids), this.env.clock.now);
    // The platform gives up an alarm that failed seven times.
    if (closed > 0 || (await this.env.clock.getAlarm(this.ctx.storage)) === null) await this.#schedule();
    return closed;
  }

  counts(fromMs: number, untilMs: number): PeriodCounts {
    return countPeriod(this.#sql, fromMs, untilMs);
  }

  /** Size of the database in bytes. */
  storageBytes(): number {
    return this.ctx.storage.sql.databaseSize;
  }

  sweepPosition(): SweepPosition {
    return readSweepPosition(this.#sql);
  }

  keepSweepPosition(position: SweepPosition): void {
    keepSweepPosition(this.#sql, position);
  }

  page(query: PageQuery): Page<DeadLetterSummary> {
    return page(this.#sql, whereOf(query.filter, query.states), query.limit, query.after);
  }

  wholePage(query: PageQuery): Page<DeadLetterRow> {
    return wholePage(this.#sql, whereOf(query.filter, query.states), query.limit, query.after);
  }

  groups(
    filter: Filter,
    states: readonly DeadLetterState[] | undefined,
    by: DeadLetterGroup,
  ): { groups: Group[]; total: number } {
    return groups(this.#sql, whereOf(filter, states), by);
  }

  idsOfRequest(search: RequestSearch): string[] {
    return idsOfRequest(this.#sql, search);
  }

  entry(eventId: string): DeadLetterRow | undefined {
    return readRow(this.#sql, eventId);
  }

  discard(eventId: string, reason: string, by: string): Discarded {
    return discardEntry(this.#sql, eventId, { reason, by, at: new Date(this.env.clock.now()).toISOString() });
  }

  openIds(selection: { readonly eventIds: readonly string[] } | { readonly filter: Filter }, limit: number): string[] {
    const isByFilter = "filter" in selection;
    const where = whereOf(isByFilter ? selection.filter : { eventIds: selection.eventIds }, ["open"]);
    return idsAfter(this.#sql, where, "", limit);
  }

  discardMany(eventIds: readonly string[], reason: string, by: string): number {
    const tombstone = { reason, by, at: new Date(this.env.clock.now()).toISOString() };
    return this.#sql.transaction(() => {
      const results = eventIds.map((eventId) => discardEntry(this.#sql, eventId, tombstone));
      return results.filter((result) => result.kind === "discarded" && result.fresh).length;
    });
  }

  importRows(rows: readonly DeadLetterRow[]): number {
    return this.#sql.transaction(() => {
      let imported = 0;
      for (const row of rows) {
        if (readRow(this.#sql, row.event_id)) continue;
        writeRow(this.#sql, row);
        imported += 1;
      }
      return imported;
    });
  }

  async createReplay(asked: ReplayRequest, by: string): Promise<Awaited<ReturnType<ReplayCalls["createReplay"]>>> {
    const nowMs = this.env.clock.now();
    const request = asked.selection.kind === "plan" ? usePlan(this.#sql, asked.selection.planId, nowMs) : asked;
    if (typeof request === "string") return { kind: "refused", plan: request };
    const replay = { id: newId("rp", nowMs), planId: newId("pl", nowMs), by };
    try {
      const planned = await createReplay(
        this.#sql,
        (ids) => fatesOf(this.env, ids),
        request,
        replay,
        this.env.clock.now,
      );
      const { name, acceptDuplicates, mend } = request;
      const created = { ...planned, kind: "created", name, acceptDuplicates, isMending: mend !== undefined } as const;
      if (planned.id === null) return { ...created, state: "planned" };
      await finishReplays(this.#sql, this.env.clock.now);
      await this.#schedule();
      return { ...created, state: findReplay(this.#sql, planned.id)?.state ?? "running" };
    } catch (error) {
      takeBackOrphans(this.#sql, replay.id);
      throw error;
    }
  }

  replays(limit: number, beforeSeq: number | undefined): ReplayRow[] {
    return listReplays(this.#sql, limit, beforeSeq);
  }

  replay(id: string): ReplayRow | undefined {
    return findReplay(this.#sql, id);
  }

  replayItems(id: string, outcome: ReplayOutcome | undefined, limit: number, after: string): ItemRow[] | undefined {
    const replay = findReplay(this.#sql, id);
    return replay && listItems(this.#sql, replay.seq, outcome, limit, after);
  }

  async controlReplay(id: string, control: Control, by: string): Promise<Controlled> {
    const result = controlReplay(this.#sql, id, control, by, this.env.clock.now());
    if (result.kind !== "ok" || !result.changed) return result;
    await finishReplays(this.#sql, this.env.clock.now);
    await this.#schedule();
    return { ...result, replay: findReplay(this.#sql, id) ?? result.replay };
  }

  override async alarm(): Promise<void> {
    const parsed = parseSettings(this.env);
    if (!parsed.ok) return this.env.clock.setAlarm(this.ctx.storage, this.env.clock.now() + UNCONFIGURED_RETRY_MS);
    const { settings } = parsed;
    if (this.#rereadAfter !== undefined) {
      this.#rereadAfter = await rereadUnreadable(this.#sql, this.#rereadAfter, this.env.clock.now());
    }
    const notBeforeMs = await runDue(this.#sql, {
      now: this.env.clock.now,
      lookup: (ids) => lookup(this.env, ids),
      publish: (messages, nowMs) => publishBatch(settings, fetch, messages, nowMs),
      remove: (dlqIds) => removeFromDlq(settings, fetch, dlqIds),
    });
    await this.#schedule(notBeforeMs);
  }

  async #schedule(notBeforeMs = 0): Promise<void> {
    const nowMs = this.env.clock.now();
    const dueMs = this.#rereadAfter === undefined ? nextDueMs(this.#sql, nowMs) : nowMs;
    await this.env.clock.setAlarm(this.ctx.storage, Math.max(dueMs, notBeforeMs, nowMs));
  }
}
