/** What one event costs in the ledger, counted by Cloudflare's own runtime; `docs/cost.md` is made from these numbers. */
import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { LEDGER_PER_EVENT } from "../../../docs/generate/cost-model.ts";
import type { PlatformEnv } from "../../../worker/env.ts";
import type { Ledger } from "../../../worker/ledger/ledger.ts";
import { LedgerShard } from "../../../worker/ledger/shard.ts";
import { durableSql } from "../../../worker/storage/durable-sql.ts";
import type { Sql, SqlValue } from "../../../worker/storage/sql.ts";

const EVENTS = 200;
const NOW_MS = Date.UTC(2026, 10, 24);

/** Without the space that a large ledger's pages leave free. */
const STORED_BYTES_MAX = 170;

/** The event bytes of a typical record. */
const BODY = JSON.stringify({
  organization_id: "org_01EHWNCE74X7JSDV0X3SZ3KJNY",
  event: { metadata: "x".repeat(700) },
});

function idOf(index: number): string {
  return `019ab0c4-3f1e-7c55-9d3e-${index.toString(16).padStart(12, "0")}`;
}

interface Counted {
  readonly written: number;
  readonly read: number;
}

function counting(storage: DurableObjectStorage): { readonly sql: Sql; readonly count: () => Counted } {
  let [written, read] = [0, 0];
  const all = <T>(query: string, ...values: readonly SqlValue[]) => {
    const cursor = storage.sql.exec(query, ...values);
    const rows = cursor.toArray();
    written += cursor.rowsWritten;
    read += cursor.rowsRead;
    return rows as T[];
  };
  return { sql: { ...durableSql(storage), all }, count: () => ({ written, read }) };
}

it("writes as many rows for a delivered event as the cost page says, and keeps few bytes", async () => {
  const ledger = (env as unknown as PlatformEnv).LEDGER.getByName("cost");
  const counted = await runInDurableObject(ledger, (_instance, { storage }) => {
    const { sql, count } = counting(storage);
    const shard = new LedgerShard(sql);
    const [before, bytesBefore] = [count(), storage.sql.databaseSize];
    for (let i = 0; i < EVENTS; i++) {
      const claim = {
        id: idOf(i),
        stage: "outcome",
        body: BODY,
        occurredAtMs: NOW_MS,
        requestId: crypto.randomUUID(),
      } as const;
      shard.claim("lease", [claim], NOW_MS);
      const attempt = { atMs: NOW_MS, durationMs: 100, outcome: "delivered", wrote: "yes", status: 200 } as const;
      shard.settle("lease", [{ id: idOf(i), attempt }], NOW_MS);
    }
    const after = count();
    return {
      rowsWritten: (after.written - before.written) / EVENTS,
      rowsRead: (after.read - before.read) / EVENTS,
      bytes: (storage.sql.databaseSize - bytesBefore) / EVENTS,
    };
  });
  expect(counted.rowsWritten).toBe(LEDGER_PER_EVENT.rowsWritten);
  expect(counted.rowsRead).toBe(LEDGER_PER_EVENT.rowsRead);
  expect(counted.bytes).toBeLessThanOrEqual(STORED_BYTES_MAX);
});

it("has its counters on disk as soon as a lone event is settled, with no timer that would keep the object awake", async () => {
  const ledger = ((env as unknown as PlatformEnv).LEDGER as DurableObjectNamespace<Ledger>).getByName("lone");
  const claims = [{ id: idOf(1), stage: "outcome", body: BODY, occurredAtMs: NOW_MS }];
  await ledger.claim("lease", JSON.stringify(claims), 1, NOW_MS);
  const attempt = { atMs: NOW_MS, durationMs: 100, outcome: "delivered", wrote: "yes", status: 200 } as const;
  await ledger.settle("lease", JSON.stringify([{ id: idOf(1), attempt }]), NOW_MS);
  const kept = await runInDurableObject(ledger, (_, { storage }) =>
    new LedgerShard(durableSql(storage)).counters.numbers(),
  );
  expect(kept).toMatchObject({ seen: 1, delivered: 1 });
});

it("has on disk what it has shown, so that no counter goes back when the object starts again", async () => {
  const ledger = ((env as unknown as PlatformEnv).LEDGER as DurableObjectNamespace<Ledger>).getByName("shown");
  for (const id of [idOf(1), idOf(2), idOf(3)]) {
    const claims = [{ id, stage: "outcome", body: BODY, occurredAtMs: NOW_MS }];
    await ledger.claim("lease", JSON.stringify(claims), 1, NOW_MS);
    const attempt = { atMs: NOW_MS, durationMs: 100, outcome: "delivered", wrote: "yes", status: 200 } as const;
    await ledger.settle("lease", JSON.stringify([{ id, attempt }]), NOW_MS);
  }
  const shown = (await ledger.status()).numbers;
  const kept = await runInDurableObject(ledger, (_, { storage }) =>
    new LedgerShard(durableSql(storage)).counters.numbers(),
  );
  expect(shown).toMatchObject({ seen: 3, delivered: 3 });
  expect(kept).toEqual(shown);
});
