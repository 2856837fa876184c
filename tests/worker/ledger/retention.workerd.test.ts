/** What a shard forgets before its retention ends, if it is nearly full, on the runtime's own SQLite. */
import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { mintEventId } from "../../../shared/event-id.ts";
import { IDEMPOTENCY_SAFE_MS } from "../../../shared/limits.ts";
import { environmentOf, type PlatformEnv } from "../../../worker/env.ts";
import { LedgerShard } from "../../../worker/ledger/shard.ts";
import { addForgotten, parseFates, readFates } from "../../../worker/ledger/fates.ts";
import type { Claim, LedgerAttempt } from "../../../worker/ledger/types.ts";
import { durableSql } from "../../../worker/storage/durable-sql.ts";

const bindings = environmentOf(env as unknown as PlatformEnv);
const DAY = 86_400_000;
const NOW = Date.now();

const idAt = (ms: number, n = 0) => mintEventId(ms, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, n >> 8, n), 7);
const claim = (id: string, fields: Partial<Claim> = {}): Claim => ({
  id,
  stage: "outcome",
  body: "x".repeat(300),
  occurredAtMs: NOW - 10 * DAY,
  ...fields,
});
const ended = (outcome: LedgerAttempt["outcome"], wrote: LedgerAttempt["wrote"]): LedgerAttempt => ({
  atMs: NOW,
  durationMs: 20,
  outcome,
  wrote,
});

interface Fixture {
  readonly shard: LedgerShard;
  readonly storage: DurableObjectStorage;
  /** The ids that wait or were rejected. */
  readonly open: readonly string[];
  readonly ids: (of: "all" | "delivered") => string[];
}

/** A shard with 4,000 records of the last ten days: of each forty, one waits, one is rejected, one discarded, the others delivered. */
function inShard<T>(name: string, run: (fixture: Fixture) => T): Promise<T> {
  return runInDurableObject(bindings.LEDGER.getByName(name), (_, { storage }) => {
    const shard = new LedgerShard(durableSql(storage));
    const open: string[] = [];
    for (let n = 0; n < 4_000; n += 40) {
      const ids = Array.from({ length: 40 }, (_, k) => idAt(NOW - 10 * DAY + ((n + k) * 10 * DAY) / 4_000, n + k));
      shard.claim(
        "L1",
        ids.map((id) => claim(id)),
        NOW,
      );
      const [waiting = "", rejected = "", discarded = ""] = ids;
      const attempts = [ended("retry", "maybe"), ended("reject", "no"), ended("retry", "no")];
      shard.settle(
        "L1",
        ids.map((id, k) => ({ id, attempt: attempts[k] ?? ended("delivered", "yes") })),
        NOW,
      );
      shard.discard(discarded, "test", NOW);
      open.push(waiting, rejected);
    }
    const ids = (of: "all" | "delivered") =>
      storage.sql
        .exec<{ id: string }>(`SELECT id FROM ledger ${of === "delivered" ? "WHERE state = 1" : ""} ORDER BY id`)
        .toArray()
        .map(({ id }) => id);
    return run({ shard, storage, open, ids });
  });
}

it("forgets the oldest ended records until there is room, and never one that is open", async () => {
  const seen = await inShard("full", ({ shard, storage, open, ids }) => {
    const before = ids("all");
    const limit = storage.sql.databaseSize * 0.8;
    const more = shard.retention.forgetEarly(() => storage.sql.databaseSize > limit);
    const after = new Set(ids("all"));
    const gone = before.filter((id) => !after.has(id));
    return {
      more,
      gone,
      before,
      openLost: open.filter((id) => !after.has(id)),
      size: storage.sql.databaseSize,
      limit,
      left: ids("delivered"),
    };
  });
  expect(seen.more).toBe(false);
  expect(seen.size).toBeLessThanOrEqual(seen.limit);
  expect(seen.openLost).toEqual([]);
  expect(seen.gone.length).toBeGreaterThan(0);
  expect(seen.gone.length % 500).toBe(0);
  expect(seen.left[0]! > seen.gone.at(-1)!).toBe(true);
});

it("stops where nothing can be forgotten", async () => {
  const left = await inShard("stuck", ({ shard, ids }) => {
    let rounds = 0;
    while (shard.retention.forgetEarly(() => true)) rounds += 1;
    return { rounds, left: ids("all").length };
  });
  expect(left.left).toBe(200);
  expect(left.rounds).toBeLessThanOrEqual(1);
});

it("does not send a forgotten record again, but takes new ones and those whose key WorkOS still remembers", async () => {
  const seen = await inShard("again", ({ shard, storage, ids }) => {
    const [delivered = ""] = ids("delivered");
    while (shard.retention.forgetEarly(() => ids("delivered").length > 0));
    const young = idAt(NOW - IDEMPOTENCY_SAFE_MS + 60_000, 7_000);
    const fresh = idAt(NOW + 1_000, 7_001);
    const foreignOld = claim("order.1");
    const foreignNew = claim("order.2", { occurredAtMs: NOW });
    // The memory of what was forgotten outlives the object.
    const again = new LedgerShard(durableSql(storage));
    const grants = again.claim(
      "L9",
      [claim(delivered), claim(young), claim(fresh), foreignOld, foreignNew],
      NOW + 1_000,
    );
    const accepted = again.claim(
      "L9",
      [claim(delivered, { replay: { n: 1, mended: false, acceptDuplicates: true } })],
      NOW + 1_000,
    );
    const unknown = idAt(NOW - 9 * DAY, 9_999);
    const fates = parseFates(
      addForgotten(readFates(durableSql(storage), [unknown, fresh]), [unknown, fresh], (id) =>
        again.retention.isForgotten(id, 0, NOW + 1_000),
      ),
    );
    return { grants, accepted, fates, unknown, fresh, numbers: again.counters.numbers() };
  });
  expect(seen.grants.map(({ kind }) => kind)).toEqual(["expired", "send", "send", "expired", "send"]);
  expect(seen.accepted.map(({ kind }) => kind)).toEqual(["send"]);
  expect(seen.fates.map(({ id, state, wrote }) => [id, state, wrote])).toEqual([
    [seen.fresh, "pending", "maybe"],
    [seen.unknown, "pending", "maybe"],
  ]);
  expect(seen.numbers).toMatchObject({ expired: 2 });
});
