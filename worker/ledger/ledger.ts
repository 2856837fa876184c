/** One ledger shard as a Durable Object: a thin shell around `LedgerShard` and its former shard. */
import { DurableObject } from "cloudflare:workers";
import { LEDGER_SHARDS } from "../../shared/limits.ts";
import { environmentOf, type Env, type PlatformEnv } from "../env.ts";
import type { Numbers } from "../numbers.ts";
import { objectMaxBytes } from "../storage/size.ts";
import { durableSql } from "../storage/durable-sql.ts";
import { LedgerShard } from "./shard.ts";
import { addForgotten, readFates } from "./fates.ts";
import { FormerShard, formerShardOf, shardName } from "./former-shard.ts";
import { GroupCommit } from "./group-commit.ts";
import { freshGrant } from "./rules.ts";
import type {
  Claim,
  Grant,
  LedgerEntry,
  RequestSearch,
  SequenceRun,
  Settlement,
  WaitingEvent,
  WaitingSince,
} from "./types.ts";

const PRUNE_EVERY_MS = 86_400_000;
const NEXT_SLICE_MS = 1_000;
/** The platform has given up an alarm this late; it tries an alarm seven times. Our choice. */
const LATE_MS = 60_000;
/** Under load this groups a few calls per commit; commits are most of the ledger's cost. Our choice. */
const GROUP_COMMIT_MS = 4;
/**
 * Longest time between two writes of the counters, so that many events share one row. There is no timer, because it would keep the
 * object awake and billed. So an eviction loses the counts of the last seconds. Our choice.
 */
const SAVE_EVERY_MS = 5_000;
/** Share of its capacity from which a shard forgets ended records early. */
const FORGETS_AT = 0.9;

export interface ShardStatus {
  readonly shard: number;
  readonly numbers: Numbers;
  readonly waiting: number;
  readonly oldestMs: number | null;
  /** Size of the shard's database. */
  readonly bytes: number;
  /** See `Retention.forgottenMs`. */
  readonly forgottenMs: number;
}

/** Whether the bytes of delivered events are kept for the copies in the evidence. */
function isCopying({ EVIDENCE, AUDIT_EVIDENCE_COPIES }: Env): boolean {
  return EVIDENCE !== undefined && AUDIT_EVIDENCE_COPIES === "true";
}

/** The state after a discard. */
interface DiscardEnd {
  readonly id: string;
  readonly end: "discarded" | "delivered" | "leased";
}

export class Ledger extends DurableObject<Env> {
  readonly #shard: LedgerShard;
  readonly #former: FormerShard<DurableObjectStub<Ledger>>;
  readonly #groupCommit = new GroupCommit(GROUP_COMMIT_MS);
  /** Empty if there is none. */
  #formerName: string | undefined;
  /** When the alarm will ring, as far as this instance knows. */
  #alarmMs = 0;
  #savedMs = 0;

  constructor(ctx: DurableObjectState, platformEnv: PlatformEnv) {
    const env = environmentOf(platformEnv);
    super(ctx, env);
    this.#shard = new LedgerShard(durableSql(ctx.storage), isCopying(env));
    this.#former = new FormerShard({
      notes: this.#shard.notes,
      now: env.clock.now,
      find: () => this.#findFormer(),
      holdsHere: (ids) => this.#shard.known(ids),
    });
  }

  /** Strings cross an RPC at a fraction of the cost of objects; undefined: each claim is granted as an unknown event id. */
  async claim(lease: string, claimsJson: string, count: number, nowMs: number): Promise<readonly Grant[] | undefined> {
    if (this.#former.isOver) return this.#claimHere(lease, claimsJson, count, nowMs);
    const claims = JSON.parse(claimsJson) as readonly Claim[];
    const parts = await this.#former.each(
      claims,
      idOf,
      async (own) => (await this.#claimHere(lease, JSON.stringify(own), own.length, nowMs)) ?? freshGrants(own, nowMs),
      async (stub, others) =>
        (await stub.claim(lease, JSON.stringify(others), others.length, nowMs)) ?? freshGrants(others, nowMs),
    );
    return parts.flat();
  }

  async settle(lease: string, settlementsJson: string, nowMs: number): Promise<void> {
    if (this.#former.isOver) return this.#settleHere(lease, settlementsJson, nowMs);
    const settlements = JSON.parse(settlementsJson) as readonly Settlement[];
    await this.#former.each<Settlement, void>(
      settlements,
      idOf,
      (own) => this.#settleHere(lease, JSON.stringify(own), nowMs),
      (stub, others) => stub.settle(lease, JSON.stringify(others), nowMs),
    );
  }

  /** See `Sealing.close`; JSON of `Closed`. */
  closeQuarter(quarter: number, mayFreeze: boolean): string {
    return JSON.stringify(this.#shard.sealing.close(quarter, mayFreeze));
  }

  /** Returns the bytes of events that this shard delivered, if copies are kept: JSON pairs of event id and text. */
  bodies(ids: readonly string[]): string {
    return JSON.stringify(this.#shard.bodies(ids));
  }

  /** See `Sealing.nextQuarter`. */
  nextQuarter(): number | undefined {
    return this.#shard.sealing.nextQuarter;
  }

  waitingSince(limit: number): readonly WaitingSince[] {
    return this.#shard.waitingSince(limit);
  }

  async claimWaiting(id: string, lease: string, nowMs: number): Promise<WaitingEvent | undefined> {
    const [event] = await this.#former.each<string, WaitingEvent | undefined>(
      [id],
      itself,
      () => this.#shard.claimWaiting(id, lease, nowMs),
      (stub) => stub.claimWaiting(id, lease, nowMs),
    );
    return event;
  }

  async lookup(ids: readonly string[], nowMs: number): Promise<readonly LedgerEntry[]> {
    const parts = await this.#former.each<string, readonly LedgerEntry[]>(
      ids,
      itself,
      (own) => this.#shard.lookup(own, nowMs),
      (stub, others) => stub.lookup(others, nowMs),
    );
    return parts.flat();
  }

  /** Returns one string per place that holds some of the ids; see `parseFates`. */
  async fates(ids: readonly string[]): Promise<readonly string[]> {
    const parts = await this.#former.each<string, readonly string[]>(
      ids,
      itself,
      (own) => [this.#fatesHere(own)],
      (stub, others) => stub.fates(others),
    );
    return parts.flat();
  }

  findByRequest(search: RequestSearch): readonly LedgerEntry[] {
    return this.#shard.lookup(this.#shard.idsOfRequest(search), this.env.clock.now());
  }

  sequenceRuns(sinceMs: number, untilMs: number): readonly SequenceRun[] {
    return this.#shard.sequenceRuns(sinceMs, untilMs);
  }

  async discard(id: string, reason: string, nowMs: number): Promise<"discarded" | "delivered" | "leased"> {
    const [end] = await this.#former.each<string, "discarded" | "delivered" | "leased">(
      [id],
      itself,
      () => this.#shard.discard(id, reason, nowMs),
      (stub) => stub.discard(id, reason, nowMs),
    );
    return end ?? "discarded";
  }

  /** Discards several records; returns the state afterwards by id. */
  async discardMany(ids: readonly string[], reason: string, nowMs: number): Promise<readonly DiscardEnd[]> {
    const parts = await this.#former.each<string, readonly DiscardEnd[]>(
      ids,
      itself,
      (own) => own.map((id) => ({ id, end: this.#shard.discard(id, reason, nowMs) })),
      (stub, others) => stub.discardMany(others, reason, nowMs),
    );
    return parts.flat();
  }

  async parked(ids: readonly string[]): Promise<void> {
    await this.#former.each<string, void>(
      ids,
      itself,
      (own) => this.#shard.parked(own),
      (stub, others) => stub.parked(others),
    );
  }

  /** True if it may hold records that now belong to another shard. */
  hadRows(): boolean {
    return this.#shard.notes.get("had_rows") === 1;
  }

  /** Returns those of the ids that this shard itself holds. */
  holds(ids: readonly string[]): readonly string[] {
    return this.#shard.known(ids);
  }

  /**
   * Flushes first, so that an eviction never makes a shown counter go back: Prometheus would take that for a reset. The cron calls
   * this often, so it also starts forgetting if the shard is nearly full, and restores an alarm that the platform gave up.
   */
  async status(): Promise<Omit<ShardStatus, "shard">> {
    await this.#arm();
    this.#shard.saveCounters();
    if (this.#isFull()) await this.#setAlarm(this.env.clock.now());
    const { count, oldestMs } = this.#shard.waiting();
    return {
      numbers: this.#shard.counters.numbers(),
      waiting: count,
      oldestMs,
      bytes: this.ctx.storage.sql.databaseSize,
      forgottenMs: this.#shard.retention.forgottenMs,
    };
  }

  override async alarm(): Promise<void> {
    const { retention } = this.#shard;
    const more = [retention.prune(this.env.clock.now()), retention.forgetEarly(() => this.#isFull())].includes(true);
    await this.#setAlarm(this.env.clock.now() + (more ? NEXT_SLICE_MS : PRUNE_EVERY_MS));
  }

  async #claimHere(lease: string, claimsJson: string, count: number, nowMs: number) {
    const grants = await this.#groupCommit.do(() => this.#shard.claimJson(lease, claimsJson, count, nowMs));
    if (this.env.clock.now() - this.#alarmMs > LATE_MS) await this.#arm();
    return grants;
  }

  #settleHere(lease: string, settlementsJson: string, nowMs: number): Promise<void> {
    return this.#groupCommit.do(() => {
      this.#shard.settleJson(lease, settlementsJson, nowMs);
      this.#saveNowAndThen();
    });
  }

  #fatesHere(ids: readonly string[]): string {
    const { retention } = this.#shard;
    const json = readFates(durableSql(this.ctx.storage), ids);
    if (retention.forgottenMs === 0) return json;
    return addForgotten(json, ids, (id) => retention.isForgotten(id, 0, this.env.clock.now()));
  }

  #findFormer(): DurableObjectStub<Ledger> | undefined {
    this.#formerName ??= this.#nameOfFormer();
    const shards = this.env.LEDGER as DurableObjectNamespace<Ledger>;
    return this.#formerName === "" ? undefined : shards.getByName(this.#formerName);
  }

  /** An object started by its alarm does not know its name, so it is found through the namespace. */
  #nameOfFormer(): string {
    const isThis = (shard: number) => this.env.LEDGER.idFromName(shardName(shard)).equals(this.ctx.id);
    const shard = Array.from({ length: LEDGER_SHARDS }, (_, index) => index).find(isThis);
    const former = shard === undefined ? undefined : formerShardOf(shard);
    return former === undefined ? "" : shardName(former);
  }

  #isFull(): boolean {
    return this.ctx.storage.sql.databaseSize > FORGETS_AT * objectMaxBytes(this.env);
  }

  async #arm(): Promise<void> {
    const setMs = await this.env.clock.getAlarm(this.ctx.storage);
    if (setMs === null) await this.#setAlarm(this.env.clock.now() + PRUNE_EVERY_MS);
    else this.#alarmMs = setMs;
  }

  async #setAlarm(atMs: number): Promise<void> {
    this.#alarmMs = atMs;
    await this.env.clock.setAlarm(this.ctx.storage, atMs);
  }

  #saveNowAndThen(): void {
    const nowMs = this.env.clock.now();
    if (nowMs - this.#savedMs < SAVE_EVERY_MS) return;
    this.#savedMs = nowMs;
    this.#shard.saveCounters();
  }
}

function itself(id: string): string {
  return id;
}

function idOf({ id }: Claim | Settlement): string {
  return id;
}

function freshGrants(claims: readonly Claim[], nowMs: number): readonly Grant[] {
  return claims.map(({ id }) => freshGrant(id, nowMs));
}
