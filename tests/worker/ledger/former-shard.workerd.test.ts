/** The ledger after the upgrade from 16 to 64 shards: records that an old shard holds are found, and new ones go to the new shard. */
import { env } from "cloudflare:workers";
import { runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it } from "vitest";
import { mintEventId, shardOf } from "../../../shared/event-id.ts";
import { LEDGER_FORMER_SHARDS, LEDGER_SHARDS } from "../../../shared/limits.ts";
import { environmentOf, type PlatformEnv } from "../../../worker/env.ts";
import {
  claimWaiting,
  fatesOf,
  findByRequest,
  ledger,
  ledgerPort,
  lookup,
  markDiscarded,
  markParked,
  sequenceRuns,
  shardStatuses,
  waitingSince,
} from "../../../worker/ledger/client.ts";
import { formerShardOf } from "../../../worker/ledger/former-shard.ts";
import { STEPS } from "../../../worker/ledger/store.ts";
import type { Claim, LedgerAttempt } from "../../../worker/ledger/types.ts";
import { restartOn } from "../../compatibility/storage/restart.workerd.ts";

const bindings = environmentOf(env as unknown as PlatformEnv);
const DAY = 86_400_000;

/** A new shard and the old one that held its event ids. */
const [NEW, OLD] = [0x25, 5];

let counter = 0;
/** An event id that belongs to the shard `NEW` today, and belonged to `OLD`. */
const idAt = (ms: number, shard = NEW) =>
  mintEventId(ms, Uint8Array.of(0, 0, 0, 0, 0, 0, 0, ++counter >> 8, counter), shard);

const claim = (id: string, fields: Partial<Claim> = {}): Claim => ({
  id,
  stage: "outcome",
  body: `{"new":"${id}"}`,
  occurredAtMs: Date.now(),
  ...fields,
});
const attempt = (outcome: LedgerAttempt["outcome"], wrote: LedgerAttempt["wrote"]): LedgerAttempt => ({
  atMs: Date.now(),
  durationMs: 20,
  outcome,
  wrote,
});

interface OldRow {
  readonly id: string;
  readonly state: number;
  readonly wrote: number;
  readonly body?: string;
  readonly waits?: boolean;
}

/** Both shards as the upgrade finds them: the old one with the rows of the release before, the new one unknown. */
async function upgrade(rows: readonly OldRow[]): Promise<void> {
  const nowMs = Date.now();
  const inserts = rows.map(({ id, state, wrote, body, waits }, index) => {
    const row = `INSERT INTO ledger (id, state, wrote, stage, body, replays, first_ms, lease_until_ms, attempts, occurred_ms, request_id,
      touched_ms, isolate, sequence) VALUES ('${id}', ${state}, ${wrote}, 0, ${body ? `'${body}'` : "NULL"}, 0, ${nowMs}, 0,
      '[[${nowMs},9,1,1,503]]', ${nowMs}, 'req-old', ${nowMs}, 'iso-old', ${index + 1});`;
    return waits ? `${row} INSERT INTO waiting VALUES ('${id}', ${nowMs}, ${nowMs});` : row;
  });
  await restartOn(ledger(bindings, OLD), [STEPS[0], ...inserts].join("\n"));
  await restartOn(ledger(bindings, NEW), "SELECT 1;");
}

const rowsIn = (shard: number): Promise<string[]> =>
  runInDurableObject(
    ledger(bindings, shard) as unknown as DurableObjectStub,
    (_: unknown, { storage }: DurableObjectState) =>
      storage.sql
        .exec<{ id: string }>("SELECT id FROM ledger ORDER BY id")
        .toArray()
        .map(({ id }) => id),
  );

describe("the layout", () => {
  it("finds for each id the shard that held it among the former ones", () => {
    const ids = [
      ...Array.from({ length: 256 }, (_, shard) => idAt(Date.now(), shard)),
      "foreign",
      "another",
      "x.y-z_1",
    ];
    for (const id of ids) {
      const shard = shardOf(id, LEDGER_SHARDS);
      expect(formerShardOf(shard) ?? shard).toBe(shardOf(id, LEDGER_FORMER_SHARDS));
    }
  });
});

describe("a record that an old shard holds", () => {
  const [DELIVERED, WAITING, REJECTED, FOREIGN] = [
    idAt(Date.now() - DAY),
    idAt(Date.now()),
    idAt(Date.now()),
    foreignId(),
  ];
  const old: readonly OldRow[] = [
    { id: DELIVERED, state: 1, wrote: 2 },
    { id: WAITING, state: 0, wrote: 1, body: '{"frozen":1}', waits: true },
    { id: REJECTED, state: 2, wrote: 0 },
    { id: FOREIGN, state: 1, wrote: 2 },
  ];
  const ids = old.map(({ id }) => id);
  beforeEach(() => upgrade(old));

  /** An id that is no UUID, with the same two shards. */
  function foreignId(): string {
    return (
      Array.from({ length: 10_000 }, (_, n) => `order.${n}`).find((id) => shardOf(id, LEDGER_SHARDS) === NEW) ?? ""
    );
  }

  it("is not sent a second time, keeps its frozen bytes, and stays where it is", async () => {
    const port = ledgerPort(bindings);
    const fresh = idAt(Date.now());
    const grants = await port.claim(
      "L1",
      [...ids, fresh].map((id) => claim(id)),
      Date.now(),
    );
    const byId = new Map(grants.map((grant) => [grant.id, grant]));
    expect(byId.get(DELIVERED)).toEqual({ id: DELIVERED, kind: "skip", why: "delivered" });
    expect(byId.get(FOREIGN)).toEqual({ id: FOREIGN, kind: "skip", why: "delivered" });
    expect(byId.get(WAITING)).toMatchObject({ kind: "send", body: '{"frozen":1}', attempt: 2 });
    expect(byId.get(REJECTED)).toMatchObject({ kind: "rejected" });
    expect(byId.get(fresh)).toMatchObject({ kind: "send", attempt: 1 });
    const settled = [WAITING, fresh].map((id) => ({ id, attempt: attempt("delivered", "yes") }));
    await port.settle("L1", settled, Date.now());
    const found = await lookup(bindings, [...ids, fresh]);
    expect([...found.values()].map(({ id, state }) => [id, state])).toEqual(
      expect.arrayContaining([
        [DELIVERED, "delivered"],
        [WAITING, "delivered"],
        [REJECTED, "rejected"],
        [FOREIGN, "delivered"],
        [fresh, "delivered"],
      ]),
    );
    expect(await rowsIn(OLD)).toEqual(ids.toSorted());
    expect(await rowsIn(NEW)).toEqual([fresh]);
    const again = await port.claim(
      "L2",
      [...ids, fresh].map((id) => claim(id)),
      Date.now() + DAY,
    );
    expect(again.map(({ kind }) => kind).toSorted()).toEqual(["rejected", "skip", "skip", "skip", "skip"]);
  });

  it("is claimed by one of many deliveries at the same time", async () => {
    const port = ledgerPort(bindings);
    const grants = await Promise.all(
      Array.from({ length: 20 }, (_, n) => port.claim(`L${n}`, [claim(WAITING)], Date.now())),
    );
    expect(grants.flat().filter(({ kind }) => kind === "send")).toHaveLength(1);
  });

  it("is found by its request, its fate and its numbers, once", async () => {
    const span = [Date.now() - 2 * DAY, Date.now() + DAY] as const;
    const found = await findByRequest(bindings, {
      requestId: "req-old",
      sinceMs: span[0],
      untilMs: span[1],
      afterId: "",
      limit: 10,
    });
    expect(found.map(({ id }) => id).toSorted()).toEqual([DELIVERED, WAITING, REJECTED].toSorted());
    const fates = await fatesOf(bindings, ids);
    expect(ids.map((id) => fates.get(id)?.state)).toEqual(["delivered", "pending", "rejected", "delivered"]);
    expect(await sequenceRuns(bindings, ...span)).toEqual([{ isolate: "iso-old", first: 1, last: 3 }]);
  });

  it("is probed, parked and discarded where it waits", async () => {
    expect((await waitingSince(bindings, [OLD, NEW])).map(({ id }) => id)).toEqual([WAITING]);
    expect(await claimWaiting(bindings, WAITING, "probe", Date.now())).toMatchObject({ body: '{"frozen":1}' });
    const waiting = async () => (await shardStatuses(bindings, [OLD, NEW])).map((status) => status.waiting);
    expect(await waiting()).toEqual([1, 0]);
    await markParked(bindings, [WAITING]);
    expect(await waiting()).toEqual([0, 0]);
    expect(await markDiscarded(bindings, REJECTED, "test")).toBe("discarded");
    expect((await lookup(bindings, [REJECTED])).get(REJECTED)).toMatchObject({ state: "discarded", reason: "test" });
    expect(await rowsIn(NEW)).toEqual([]);
  });
});

describe("a new installation", () => {
  it("notes that no other shard holds anything", async () => {
    await restartOn(ledger(bindings, OLD), "SELECT 1;");
    await restartOn(ledger(bindings, NEW), "SELECT 1;");
    const [first, second] = [idAt(Date.now()), idAt(Date.now() - DAY)];
    await ledgerPort(bindings).claim("L1", [claim(first)], Date.now());
    // Rows that the old shard gets from now on are its own.
    await ledgerPort(bindings).claim("L1", [claim(idAt(Date.now(), OLD))], Date.now());
    const [grant] = await ledgerPort(bindings).claim("L1", [claim(second)], Date.now());
    expect(grant?.kind).toBe("send");
    expect(await rowsIn(NEW)).toEqual([first, second].toSorted());
    const until = await runInDurableObject(
      ledger(bindings, NEW) as unknown as DurableObjectStub,
      (_: unknown, { storage }: DurableObjectState) =>
        storage.sql.exec("SELECT value FROM shard_notes WHERE name = 'former_until_ms'").one()["value"],
    );
    expect(until).toBe(0);
  });
});
