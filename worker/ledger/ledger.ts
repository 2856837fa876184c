/** One shard of the ledger as a Durable Object: a thin shell around `Book`. */
import { DurableObject } from "cloudflare:workers";
import type { Env } from "../env.ts";
import { durableSql } from "../storage/durable-sql.ts";
import { Book } from "./book.ts";
import type { Numbers } from "./counters.ts";
import { Gather } from "./gather.ts";
import { readFates } from "./fates.ts";
import type { Grant, LedgerEntry, SequenceRun, WaitingEvent, WaitingSince } from "./types.ts";

const PRUNE_EVERY_MS = 86_400_000;
const NEXT_SLICE_MS = 1_000;
/** Under load this is a few calls for each commit, which is most of what the ledger costs. Our choice. */
const GATHER_MS = 4;
/**
 * Counters are written at most this often: one row for many events. Without a timer, which would keep the object awake and is
 * billed as such; what the last seconds before an eviction counted is lost. Our choice.
 */
const SAVE_EVERY_MS = 5_000;

export interface ShardStatus {
  readonly numbers: Numbers;
  readonly waiting: number;
  readonly oldestMs: number | null;
  /** Size of the shard's database. */
  readonly bytes: number;
}

export class Ledger extends DurableObject<Env> {
  readonly #book: Book;
  readonly #gather = new Gather(GATHER_MS);
  #alarmIsSet = false;
  #savedMs = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#book = new Book(durableSql(ctx.storage));
  }

  /** Text crosses an RPC at a fraction of what objects cost; undefined: all are granted as unknown event ids are. */
  async claim(lease: string, claimsJson: string, count: number, nowMs: number): Promise<readonly Grant[] | undefined> {
    const grants = await this.#gather.do(() => this.#book.claimJson(lease, claimsJson, count, nowMs));
    if (!this.#alarmIsSet) await this.#setAlarm();
    return grants;
  }

  settle(lease: string, settlementsJson: string, nowMs: number): Promise<void> {
    return this.#gather.do(() => {
      this.#book.settleJson(lease, settlementsJson, nowMs);
      this.#saveNowAndThen();
    });
  }

  waitingSince(limit: number): readonly WaitingSince[] {
    return this.#book.waitingSince(limit);
  }

  claimWaiting(id: string, lease: string, nowMs: number): WaitingEvent | undefined {
    return this.#book.claimWaiting(id, lease, nowMs);
  }

  lookup(ids: readonly string[], nowMs: number): readonly LedgerEntry[] {
    return this.#book.lookup(ids, nowMs);
  }

  fates(ids: readonly string[]): string {
    return readFates(durableSql(this.ctx.storage), ids);
  }

  findByRequest(requestId: string, sinceMs: number, untilMs: number, limit: number): readonly LedgerEntry[] {
    return this.#book.lookup(this.#book.idsOfRequest(requestId, sinceMs, untilMs, limit), Date.now());
  }

  sequenceRuns(sinceMs: number, untilMs: number): readonly SequenceRun[] {
    return this.#book.sequenceRuns(sinceMs, untilMs);
  }

  discard(id: string, reason: string, nowMs: number): "discarded" | "delivered" | "leased" {
    return this.#book.discard(id, reason, nowMs);
  }

  parked(ids: readonly string[]): void {
    this.#book.parked(ids);
  }

  /** What is shown is on disk first, so that no counter is seen to go back after an eviction: Prometheus takes that for a reset. */
  status(): ShardStatus {
    this.#book.saveCounters();
    const { count, oldestMs } = this.#book.waiting();
    return {
      numbers: this.#book.counters.numbers(),
      waiting: count,
      oldestMs,
      bytes: this.ctx.storage.sql.databaseSize,
    };
  }

  override async alarm(): Promise<void> {
    const more = this.#book.prune(Date.now());
    await this.ctx.storage.setAlarm(Date.now() + (more ? NEXT_SLICE_MS : PRUNE_EVERY_MS));
  }

  async #setAlarm(): Promise<void> {
    this.#alarmIsSet = true;
    if ((await this.ctx.storage.getAlarm()) === null) await this.ctx.storage.setAlarm(Date.now() + PRUNE_EVERY_MS);
  }

  #saveNowAndThen(): void {
    const nowMs = Date.now();
    if (nowMs - this.#savedMs < SAVE_EVERY_MS) return;
    this.#savedMs = nowMs;
    this.#book.saveCounters();
  }
}
