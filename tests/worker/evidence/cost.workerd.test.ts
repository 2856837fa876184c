/** What the evidence costs in rows, counted by Cloudflare's own runtime. */
import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { expect, it } from "vitest";
import { quarterAt } from "../../../shared/evidence/quarter.ts";
import { mintEventId } from "../../../shared/event-id.ts";
import type { PlatformEnv } from "../../../worker/env.ts";
import { LedgerShard } from "../../../worker/ledger/shard.ts";
import { leafOf } from "../../../worker/ledger/leaf.ts";
import { durableSql } from "../../../worker/storage/durable-sql.ts";
import type { SqlValue } from "../../../worker/storage/sql.ts";

const NOW_MS = Date.UTC(2026, 10, 24, 10, 5);

/** Rows written by a shard that delivers events in one quarter, and closes it if evidence is kept. */
function rowsWritten(name: string, events: number, hasEvidence: boolean): Promise<number> {
  const stub = (env as unknown as PlatformEnv).LEDGER.getByName(name);
  return runInDurableObject(stub, (_: unknown, { storage }: DurableObjectState) => {
    let written = 0;
    const all = <T>(query: string, ...values: readonly SqlValue[]) => {
      const cursor = storage.sql.exec(query, ...values);
      const rows = cursor.toArray();
      written += cursor.rowsWritten;
      return rows as T[];
    };
    const book = new LedgerShard({ ...durableSql(storage), all });
    const before = written;
    for (let at = 0; at < events; at++) {
      const id = mintEventId(NOW_MS + at, new Uint8Array(9), 1);
      const body = JSON.stringify({ organization_id: "org_a", event: { metadata: { event_id: id } } });
      book.claim("lease", [{ id, stage: "outcome", body, occurredAtMs: NOW_MS }], NOW_MS);
      const attempt = { atMs: NOW_MS, durationMs: 100, outcome: "delivered", wrote: "yes", status: 200 } as const;
      book.settle("lease", [{ id, attempt, ...(hasEvidence ? leafOf(body) : {}) }], NOW_MS);
    }
    if (hasEvidence) book.sealing.close(quarterAt(NOW_MS), true);
    return written - before;
  });
}

it.each([17, 100, 1_000])(
  "writes at most 0.1 rows more for each of %i events of a shard and quarter",
  async (events) => {
    const without = await rowsWritten(`without ${events}`, events, false);
    const more = (await rowsWritten(`with ${events}`, events, true)) - without;
    // The very first event of a shard writes one more row, once in its life.
    expect((more - 1) / events).toBeLessThanOrEqual(0.1);
  },
);

it("writes no row to close a quarter of a few events", async () => {
  expect((await rowsWritten("with few", 16, true)) - (await rowsWritten("without few", 16, false))).toBe(1);
});
