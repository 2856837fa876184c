/**
 * Records that another shard holds, from the time when the ledger had `LEDGER_FORMER_SHARDS` shards. They stay there until their
 * retention ends, so a record is never in two places; this shard forwards calls about them.
 */
import { LEDGER_FORMER_SHARDS, LEDGER_RETENTION_MS } from "../../shared/limits.ts";
import type { Notes } from "./notes.ts";
import { mintedMs } from "./retention.ts";

/** An older release may keep running for a moment after a deployment, and clocks differ. Our choice. */
const OVERLAP_MS = 86_400_000;

/** The name of the Durable Object of a shard, 0 to `LEDGER_SHARDS` - 1. */
export function shardName(shard: number): string {
  return `ledger-${shard}`;
}

/** The shard that held the event ids of `shard` before; undefined if it is the same one. */
export function formerShardOf(shard: number): number | undefined {
  return shard < LEDGER_FORMER_SHARDS ? undefined : shard % LEDGER_FORMER_SHARDS;
}

/** The RPC interface of the former shard. */
interface Former {
  hadRows(): Promise<boolean>;
  /** Returns those of the ids that it holds. */
  holds(ids: readonly string[]): Promise<readonly string[]>;
}

interface Ports<Stub extends Former> {
  readonly notes: Pick<Notes, "get" | "put">;
  readonly now: () => number;
  /** Undefined if this shard has no former one. */
  readonly find: () => Stub | undefined;
  /** Returns those of the ids that this shard holds itself. */
  readonly holdsHere: (ids: readonly string[]) => readonly string[];
}

export class FormerShard<Stub extends Former> {
  readonly #ports: Ports<Stub>;
  /** Ids minted before this time may be at the former shard; 0: none are; undefined: not known yet. */
  #untilMs: number | undefined;

  constructor(ports: Ports<Stub>) {
    this.#ports = ports;
    this.#untilMs = ports.notes.get("former_until_ms");
  }

  /** True if every record is here, as on every installation that is new or was upgraded long ago. */
  get isOver(): boolean {
    if (this.#untilMs === undefined) return false;
    return this.#untilMs === 0 || this.#ports.now() > this.#untilMs + LEDGER_RETENTION_MS;
  }

  /** Calls `here` with this shard's items and `there` with those that the former shard holds; returns both results. */
  async each<T, R>(
    items: readonly T[],
    idOf: (item: T) => string,
    here: (items: readonly T[]) => R | Promise<R>,
    there: (stub: Stub, items: readonly T[]) => Promise<R>,
  ): Promise<readonly R[]> {
    const stub = this.isOver ? undefined : this.#ports.find();
    if (!stub) {
      this.#untilMs ??= 0;
      return [await here(items)];
    }
    const held = await this.#heldThere(items.map(idOf), stub);
    if (held.size === 0) return [await here(items)];
    const isThere = (item: T) => held.has(idOf(item));
    const [others, own] = [items.filter(isThere), items.filter((item) => !isThere(item))];
    return Promise.all([there(stub, others), ...(own.length > 0 ? [here(own)] : [])]);
  }

  async #heldThere(ids: readonly string[], stub: Stub): Promise<ReadonlySet<string>> {
    this.#untilMs ??= await this.#decide(stub);
    const untilMs = this.#untilMs;
    const old = ids.filter((id) => mintedMs(id, 0) < untilMs);
    const here = new Set(old.length > 0 ? this.#ports.holdsHere(old) : []);
    const asked = old.filter((id) => !here.has(id));
    return new Set(asked.length > 0 ? await stub.holds(asked) : []);
  }

  async #decide(stub: Stub): Promise<number> {
    const untilMs = (await stub.hadRows()) ? this.#ports.now() + OVERLAP_MS : 0;
    this.#ports.notes.put("former_until_ms", untilMs);
    return untilMs;
  }
}
