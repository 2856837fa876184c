/** The ledger as a real Durable Object in workerd. */
import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { LEDGER_RETENTION_MS, LEDGER_SHARDS } from "../../../shared/limits.ts";
import { environmentOf, type Env, type PlatformEnv } from "../../../worker/env.ts";
import type { Ledger } from "../../../worker/ledger/ledger.ts";
import { LedgerShard } from "../../../worker/ledger/shard.ts";
import { ledger, ledgerPort, lookup, markDiscarded, markParked, shardStatuses } from "../../../worker/ledger/client.ts";
import { durableSql } from "../../../worker/storage/durable-sql.ts";
import type { Sql, SqlValue } from "../../../worker/storage/sql.ts";
import type { Claim, LedgerAttempt } from "../../../worker/ledger/types.ts";

const bindings = environmentOf(env as unknown as PlatformEnv);
const NOW = Date.now();

const claim = (id: string, fields: Partial<Claim> = {}): Claim => ({
  id,
  stage: "outcome",
  body: "x".repeat(1_500),
  occurredAtMs: NOW,
  ...fields,
});
const delivered: LedgerAttempt = { atMs: NOW, durationMs: 20, outcome: "delivered", wrote: "yes", status: 200 };
const retried: LedgerAttempt = { atMs: NOW, durationMs: 20, outcome: "retry", wrote: "maybe", reason: "timeout" };

/** The ids of one gateway isolate, all on one shard as the policy mints them. */
const idsOnOneShard = (count: number, shard = "07") =>
  Array.from(
    { length: count },
    () =>
      `${crypto
        .randomUUID()
        .replace(/^(.{14})4/, "$17")
        .slice(0, -2)}${shard}`,
  );

describe("the clean path", () => {
  it("writes two rows for each event, bytes and request id included", async () => {
    const stub = ledger(bindings, 0);
    const written = await runInDurableObject(stub, (_, state) => {
      let rows = 0;
      const sql: Sql = {
        ...durableSql(state.storage),
        all<T>(query: string, ...values: readonly SqlValue[]) {
          const cursor = state.storage.sql.exec(query, ...values);
          const found = cursor.toArray();
          rows += cursor.rowsWritten;
          return found as T[];
        },
      };
      const shard = new LedgerShard(sql);
      rows = 0;
      const ids = idsOnOneShard(20);
      shard.claim(
        "L1",
        ids.map((id) => claim(id, { requestId: crypto.randomUUID() })),
        NOW,
      );
      shard.settle(
        "L1",
        ids.map((id) => ({ id, attempt: delivered })),
        NOW + 20,
      );
      return rows;
    });
    expect(written).toBe(40);
  });

  it("asks each shard twice for a message, however many records it holds", async () => {
    const calls: string[] = [];
    const counting: Env = {
      ...bindings,
      LEDGER: {
        getByName: (name: string) => {
          const stub = (bindings.LEDGER as DurableObjectNamespace<Ledger>).getByName(name);
          return {
            claim: (...args: Parameters<typeof stub.claim>) => (calls.push(`claim ${name}`), stub.claim(...args)),
            settle: (...args: Parameters<typeof stub.settle>) => (calls.push(`settle ${name}`), stub.settle(...args)),
          };
        },
      } as unknown as Env["LEDGER"],
    };
    const ids = [...idsOnOneShard(20, "03"), ...idsOnOneShard(5, "04")];
    const port = ledgerPort(counting);
    await port.claim(
      "L1",
      ids.map((id) => claim(id)),
      NOW,
    );
    await port.settle(
      "L1",
      ids.map((id) => ({ id, attempt: delivered })),
      NOW,
    );
    expect(calls).toEqual(["claim ledger-3", "claim ledger-4", "settle ledger-3", "settle ledger-4"]);
  });
});

describe("many deliveries of one message at the same time", () => {
  it("grants each record to exactly one of fifty, and later to nobody", async () => {
    const ids = idsOnOneShard(5);
    const port = ledgerPort(bindings);
    const grants = await Promise.all(
      Array.from({ length: 50 }, (_, n) =>
        port.claim(
          `lease-${n}`,
          ids.map((id) => claim(id)),
          NOW,
        ),
      ),
    );
    const winners = new Set<number>();
    for (const id of ids) {
      const kinds = grants.map((answer) => answer.find((grant) => grant.id === id)?.kind);
      expect(kinds.filter((kind) => kind === "send")).toHaveLength(1);
      expect(kinds.filter((kind) => kind === "leased")).toHaveLength(49);
      winners.add(kinds.indexOf("send"));
    }
    expect(winners.size).toBe(1);
    const [winner] = winners;
    await port.settle(
      `lease-${winner}`,
      ids.map((id) => ({ id, attempt: delivered })),
      NOW,
    );
    const late = await port.claim(
      "late",
      ids.map((id) => claim(id)),
      NOW + 1,
    );
    expect(late.map((grant) => grant.kind)).toEqual(ids.map(() => "skip"));
  });
});

describe("from outside", () => {
  it("an unknown id has no entry; a known one tells its whole fate", async () => {
    const [id, other] = idsOnOneShard(2) as [string, string];
    const port = ledgerPort(bindings);
    // The lookup reads the clock, and a lease is short.
    const startMs = Date.now();
    await port.claim("L1", [claim(id, { requestId: "req-1" })], startMs);
    expect((await lookup(bindings, [id, other])).get(id)).toMatchObject({
      state: "pending",
      wrote: "maybe",
      leased: true,
    });
    await port.settle("L1", [{ id, attempt: retried }], NOW);
    const found = await lookup(bindings, [id, other]);
    expect([...found.keys()]).toEqual([id]);
    expect(found.get(id)).toEqual({
      id,
      state: "pending",
      wrote: "maybe",
      stage: "outcome",
      key: id,
      replays: 0,
      firstAttemptAtMs: startMs,
      attempts: [retried],
      occurredAtMs: NOW,
      requestId: "req-1",
      leased: false,
    });
  });

  it("a discard holds, also of an id that was never seen; what is delivered or under way cannot be discarded", async () => {
    const [unseen, held, done] = idsOnOneShard(3) as [string, string, string];
    const port = ledgerPort(bindings);
    await port.claim("L1", [claim(held), claim(done)], Date.now());
    await port.settle("L1", [{ id: done, attempt: delivered }], Date.now());
    expect(await markDiscarded(bindings, unseen, "test traffic")).toBe("discarded");
    expect(await markDiscarded(bindings, held, "test traffic")).toBe("leased");
    expect(await markDiscarded(bindings, done, "test traffic")).toBe("delivered");
    const [grant] = await port.claim("L2", [claim(unseen)], Date.now());
    expect(grant).toEqual({ id: unseen, kind: "skip", why: "discarded" });
  });

  it("what waits for its next attempt is counted until it is delivered or parked", async () => {
    const [first, second] = idsOnOneShard(2, "0b") as [string, string];
    const port = ledgerPort(bindings);
    const waiting = async () => (await shardStatuses(bindings))[11];
    await port.claim("L1", [claim(first, { occurredAtMs: 1_000 }), claim(second, { occurredAtMs: 2_000 })], NOW);
    expect(await waiting()).toMatchObject({ waiting: 0, oldestMs: null });
    await port.settle(
      "L1",
      [first, second].map((id) => ({ id, attempt: retried })),
      NOW,
    );
    expect(await waiting()).toMatchObject({ waiting: 2, oldestMs: 1_000 });
    await port.claim("L2", [claim(first)], NOW);
    await port.settle("L2", [{ id: first, attempt: delivered }], NOW);
    expect(await waiting()).toMatchObject({ waiting: 1, oldestMs: 2_000 });
    await markParked(bindings, [second]);
    expect(await waiting()).toMatchObject({ waiting: 0, oldestMs: null });
    expect(await shardStatuses(bindings)).toHaveLength(LEDGER_SHARDS);
  });
});

describe("pruning", () => {
  const DAY = 86_400_000;
  const idAt = (ms: number) =>
    `${ms
      .toString(16)
      .padStart(12, "0")
      .replace(/^(.{8})/, "$1-")}-7000-8000-000000000005`;

  it("forgets an event id only after the retention, whatever its form, and never what was touched since", async () => {
    const left = await runInDurableObject(bindings.LEDGER.getByName("prune"), (_, state) => {
      const shard = new LedgerShard(durableSql(state.storage));
      const old = NOW - LEDGER_RETENTION_MS - DAY;
      const young = NOW - LEDGER_RETENTION_MS + DAY;
      const ids = { old: idAt(old), foreign: "zz-foreign-id", replayed: idAt(old + 1), young: idAt(young) };
      shard.claim("L1", [claim(ids.old), claim(ids.foreign), claim(ids.replayed)], old);
      shard.claim("L2", [claim(ids.young)], young);
      shard.claim("L3", [claim(ids.replayed)], NOW - DAY);
      expect(shard.retention.prune(NOW)).toBe(false);
      return shard
        .lookup(Object.values(ids), NOW)
        .map(({ id }) => Object.entries(ids).find(([, known]) => known === id)?.[0]);
    });
    expect(left).toEqual(["replayed", "young"]);
  });
});
