/** The evidence without a platform: shards of the real ledger over `node:sqlite`, the real log, and a bucket that is a map. */
import { mintEventId } from "../../../shared/event-id.ts";
import { LedgerShard } from "../../../worker/ledger/shard.ts";
import { leafOf, sha256 } from "../../../worker/ledger/leaf.ts";
import type { Closed } from "../../../worker/ledger/sealing.ts";
import type { Sql } from "../../../worker/storage/sql.ts";
import { checkpointText } from "../../../shared/evidence/note.ts";
import { LogStore } from "../../../worker/evidence/log-store.ts";
import { sealQuarters, type SealPorts } from "../../../worker/evidence/sealer.ts";
import { memorySql } from "../support/world.ts";

export const QUARTER_MS = 900_000;
export const START_MS = Date.UTC(2026, 10, 30, 10);

interface Delivered {
  readonly id: string;
  readonly organization: string;
  readonly leaf: string;
}

/** A number between 0 and 1 from a seed (mulberry32). */
export function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

export interface Faults {
  /** Wraps each call of a port; it may throw before or after the call took effect. */
  readonly around?: <T>(name: string, call: () => Promise<T>) => Promise<T>;
  /** Plants a bug. */
  readonly ports?: (ports: SealPorts) => SealPorts;
  readonly beforeSealing?: (shards: readonly Sql[]) => void;
  readonly store?: (sql: Sql) => LogStore;
}

export function createEvidence(shards: number, faults: Faults = {}) {
  const sqls = Array.from({ length: shards }, memorySql);
  const books = sqls.map((sql) => new LedgerShard(sql));
  const logSql = memorySql();
  const bucket = new Map<string, Uint8Array>();
  const delivered: Delivered[] = [];
  const around = faults.around ?? ((_, call) => call());
  let minted = 0;

  const real: SealPorts = {
    sha256,
    shards,
    firstQuarter: () =>
      around("firstQuarter", async () => {
        const quarters = books.flatMap(({ sealing }) => sealing.nextQuarter ?? []);
        return quarters.length === 0 ? undefined : Math.min(...quarters);
      }),
    close: (shard, quarter, mayFreeze) =>
      around("close", async () => {
        const answer = books[shard]?.sealing.close(quarter, mayFreeze);
        return JSON.parse(JSON.stringify(answer)) as Closed;
      }),
    facts: () =>
      around("facts", async () => ({
        dead_letters: { parked: 0, replayed: 0, discarded: 0, open: 0 },
        sequences: { isolates: 1, missing: 0 },
      })),
    put: (path, content) =>
      around("put", async () => {
        bucket.set(path, typeof content === "string" ? new TextEncoder().encode(content) : content);
      }),
    publish: (size, root) =>
      around("publish", async () => {
        const text = checkpointText({ origin: "test.example/evidence", size, root });
        bucket.set("checkpoint", new TextEncoder().encode(`${text}\n`));
      }),
  };
  const ports = faults.ports?.(real) ?? real;

  return {
    sqls,
    bucket,
    delivered,
    files: (path: string) => Promise.resolve(bucket.get(path)),
    /** An id of a time, on a shard. */
    idAt(ms: number, shard: number): string {
      minted += 1;
      const random = new Uint8Array(9);
      new DataView(random.buffer).setUint32(4, minted);
      return mintEventId(ms, random, shard);
    },
    claim(shard: number, id: string, organization: string, atMs: number): void {
      const body = JSON.stringify({ organization_id: organization, event: { metadata: { event_id: id } } });
      books[shard]?.claim("lease", [{ id, stage: "outcome", body, occurredAtMs: atMs, isolate: "iso" }], atMs);
    },
    /** Ends an event as delivered, or as tried in vain. */
    settle(shard: number, id: string, organization: string, atMs: number, isDelivered = true): void {
      const body = JSON.stringify({ organization_id: organization, event: { metadata: { event_id: id } } });
      const leaf = leafOf(body);
      const outcome = isDelivered ? ("delivered" as const) : ("retry" as const);
      const attempt = { atMs, durationMs: 1, outcome, wrote: isDelivered ? ("yes" as const) : ("no" as const) };
      books[shard]?.settle("lease", [{ id, attempt, ...(isDelivered ? leaf : {}) }], atMs);
      if (isDelivered && !delivered.some((one) => one.id === id)) delivered.push({ id, ...leaf });
    },
    /** Starts a shard again: what was only in memory is gone. */
    restart(shard: number): void {
      const sql = sqls[shard];
      if (sql) books[shard] = new LedgerShard(sql);
    },
    /** Seals as the Durable Object does after a start, which remembers nothing but its disk. */
    async seal(nowMs: number, most = 8) {
      faults.beforeSealing?.(sqls);
      return sealQuarters(faults.store?.(logSql) ?? new LogStore(logSql, sha256), ports, nowMs, most);
    },
  };
}
