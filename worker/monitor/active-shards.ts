/**
 * The ledger shards in which something may wait, so that a cron round or a probe wakes only those. A delivery names its shards
 * before it claims anything.
 */
import { LEDGER_SHARDS } from "../../shared/limits.ts";

const NOTE = "active_shards";
/** While deliveries go on, the time of a shard is stored this often. Our choice. */
const NOTE_EVERY_MS = 5 * 60_000;
/** Longer than a delivery may take after naming its shards, plus the age of a stored time. Our choice. */
const QUIET_MS = 3 * NOTE_EVERY_MS;

interface ShardStore {
  get(key: string): unknown;
  put(key: string, value: object): void;
}

/** When each shard was last named, ms since the epoch, as stored. */
type Times = Readonly<Record<string, number>>;

export class ActiveShards {
  readonly #store: ShardStore;
  readonly #namedMs: Map<number, number>;

  /** At first, all shards count as active. */
  constructor(store: ShardStore, nowMs: number) {
    this.#store = store;
    const known = store.get(NOTE) as Times | undefined;
    const all = Array.from({ length: LEDGER_SHARDS }, (_, shard) => [shard, nowMs] as const);
    this.#namedMs = new Map(known ? Object.entries(known).map(([shard, ms]) => [Number(shard), ms] as const) : all);
    if (!known) this.#keep();
  }

  list(): readonly number[] {
    return [...this.#namedMs.keys()];
  }

  /** A delivery is about to claim records of these shards. */
  name(shards: readonly number[], nowMs: number): void {
    const due = shards.filter((shard) => nowMs - (this.#namedMs.get(shard) ?? 0) > NOTE_EVERY_MS);
    for (const shard of due) this.#namedMs.set(shard, nowMs);
    if (due.length > 0) this.#keep();
  }

  /** Nothing waits in these shards: removes those that no delivery has named for a while. */
  release(idle: readonly number[], nowMs: number): void {
    const quiet = idle.filter((shard) => nowMs - (this.#namedMs.get(shard) ?? nowMs) > QUIET_MS);
    for (const shard of quiet) this.#namedMs.delete(shard);
    if (quiet.length > 0) this.#keep();
  }

  #keep(): void {
    this.#store.put(NOTE, Object.fromEntries(this.#namedMs) satisfies Times);
  }
}
