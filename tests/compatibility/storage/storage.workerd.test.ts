/**
 * The worker on databases of other versions: those of earlier ones, as after an upgrade, and one of a later version, as after a
 * rollback. Each folder `v<n>` holds dumps that a worker of version n left.
 */
import { runInDurableObject } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { quarterAt, quarterStartMs } from "../../../shared/evidence/quarter.ts";
import { mintEventId } from "../../../shared/event-id.ts";
import { evidenceLog } from "../../../worker/evidence/client.ts";
import { STEPS as EVIDENCE_STEPS } from "../../../worker/evidence/log-store.ts";
import { STEPS as DEAD_LETTER_STEPS } from "../../../worker/replays/schema.ts";
import { ledger, ledgerPort } from "../../../worker/ledger/client.ts";
import { leafOf } from "../../../worker/ledger/leaf.ts";
import { STEPS as LEDGER_STEPS } from "../../../worker/ledger/store.ts";
import { monitor } from "../../../worker/monitor/client.ts";
import { STEPS as MONITOR_STEPS } from "../../../worker/monitor/incidents.ts";
import { outboxOf } from "../../../worker/outbox/client.ts";
import { STEPS as OUTBOX_STEPS } from "../../../worker/outbox/store.ts";
import { get, post, deadLetterObject, workerEnv } from "../../worker/support/api.workerd.ts";
import { readLog } from "../../worker/evidence/reader.ts";
import { letter } from "../../worker/support/letters.ts";
import { dump } from "./database.ts";
import { restartOn } from "./restart.workerd.ts";

const dumps: Readonly<Record<string, string>> = import.meta.glob("./v*/*.sql", {
  query: "?raw",
  import: "default",
  eager: true,
});

const OBJECTS = {
  ledger: { steps: LEDGER_STEPS, stub: () => ledger(workerEnv, 3) },
  archive: { steps: DEAD_LETTER_STEPS, stub: () => deadLetterObject() },
  monitor: { steps: MONITOR_STEPS, stub: () => monitor(workerEnv) },
  outbox: { steps: OUTBOX_STEPS, stub: () => outboxOf(workerEnv, SPILLED) },
  evidence: { steps: EVIDENCE_STEPS, stub: () => evidenceLog(workerEnv) },
};
type Name = keyof typeof OBJECTS;

/** Half an hour after the dumps were made, so that nothing in them is past its retention. */
const NOW_MS = 1_795_999_200_000;
const ids = [1, 2, 3, 4, 5].map((n) => `01a1ae27-b400-7000-8000-000${n}0000000${n}`);
const [DELIVERED = "", RETRIED = "", REJECTED = "", DISCARDED = "", LEASED = ""] = ids;
const SPILLED = LEASED;

type Version = number | "later";

/** The versions that a worker may find. One without a dump is left to the test that asks for it. */
function versionsFor(name: Name): readonly Version[] {
  const known = OBJECTS[name].steps
    .map((_, index) => index + 1)
    .filter((version) => `./v${version}/${name}.sql` in dumps);
  return known.length === OBJECTS[name].steps.length ? [...known, "later"] : known;
}

/** Starts the object again on a dump, as a deployment does. */
async function startOn(name: Name, version: Version): Promise<void> {
  const { steps } = OBJECTS[name];
  const known = version === "later" ? steps.length : version;
  const text = `${dumps[`./v${known}/${name}.sql`] ?? ""}${version === "later" ? laterStep(name, known) : ""}`;
  await restartOn(OBJECTS[name].stub(), text);
}

/** What a later version may have done: one more column in each table. */
function laterStep(name: Name, known: number): string {
  const tables = [...(dumps[`./v${known}/${name}.sql`] ?? "").matchAll(/^CREATE TABLE (\w+)/gm)].map(
    ([, table]) => table,
  );
  const columns = tables
    .filter((table) => table !== "versions")
    .map((table) => `ALTER TABLE ${table} ADD COLUMN later TEXT;`);
  const versions = Array.from(
    { length: known + 1 },
    (_, index) => `INSERT OR IGNORE INTO versions (version) VALUES (${index + 1});`,
  );
  return [...columns, "CREATE TABLE IF NOT EXISTS versions (version INTEGER PRIMARY KEY);", ...versions].join("\n");
}

function versionsOf(name: Name): Promise<unknown[]> {
  return runInDurableObject(OBJECTS[name].stub() as DurableObjectStub, (_: unknown, { storage }: DurableObjectState) =>
    storage.sql
      .exec("SELECT version FROM versions ORDER BY version")
      .toArray()
      .map(({ version }) => version),
  );
}

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW_MS });
});
afterEach(() => {
  vi.useRealTimers();
});

describe.each(Object.keys(OBJECTS) as Name[])("%s", (name) => {
  const { steps } = OBJECTS[name];
  const versions = steps.map((_, index) => index + 1);

  it.each(versions)("has a dump of version %i", async (version) => {
    // The rows of the version before, after the new step: what a new version's first dump needs to hold.
    if (version > 1) await startOn(name, version - 1);
    const made = await runInDurableObject(
      OBJECTS[name].stub() as DurableObjectStub,
      (_: unknown, { storage }: DurableObjectState) => dump(storage.sql),
    );
    expect(dumps, `add v${version}/${name}.sql with this text:\n${made}`).toHaveProperty([`./v${version}/${name}.sql`]);
  });

  it.each(versionsFor(name))("takes every step that a database of version %s lacks, once", async (version) => {
    await startOn(name, version);
    expect(await versionsOf(name)).toEqual(version === "later" ? [...versions, versions.length + 1] : versions);
  });
});

describe.each(versionsFor("ledger"))("a ledger of version %s", (version) => {
  it("knows every event id, claims new ones and settles", async () => {
    await startOn("ledger", version);
    const shard = OBJECTS.ledger.stub();
    expect((await shard.lookup(ids, NOW_MS)).map(({ id, state, wrote }) => [id, state, wrote])).toEqual([
      [DELIVERED, "delivered", "yes"],
      [RETRIED, "pending", "maybe"],
      [REJECTED, "rejected", "no"],
      [DISCARDED, "discarded", "maybe"],
      [LEASED, "pending", "maybe"],
    ]);
    const claims = [...ids, "new"].map((id) => ({ id, stage: "outcome", body: "{}", occurredAtMs: NOW_MS }));
    const grants = await shard.claim("L2", JSON.stringify(claims), claims.length, NOW_MS);
    expect(grants?.map(({ kind }) => kind)).toEqual(["skip", "send", "rejected", "skip", "send", "send"]);
    const attempt = { atMs: NOW_MS, durationMs: 10, outcome: "delivered", wrote: "yes", status: 200 };
    const settled = [RETRIED, LEASED, "new"].map((id) => ({ id, attempt }));
    await shard.settle("L2", JSON.stringify(settled), NOW_MS);
    const after = await shard.lookup([RETRIED, LEASED, "new"], NOW_MS);
    expect(after.map(({ state }) => state)).toEqual(["delivered", "delivered", "delivered"]);
    expect((await shard.status()).numbers).toMatchObject({ seen: 6, delivered: 4 });
  });
});

describe.each(versionsFor("archive"))("dead letters of version %s", (version) => {
  it("are listed, take another failure, are discarded, and their replay goes on", async () => {
    await startOn("archive", version);
    const listed = await get("/api/dead-letters?state=open,replaying,delivered,discarded");
    const states = (listed.json.dead_letters as { event_id: string; state: string }[]).map(
      ({ event_id, state }) => [event_id, state] as const,
    );
    expect(Object.fromEntries(states)).toEqual({
      [DELIVERED]: "open",
      [RETRIED]: "replaying",
      [REJECTED]: "discarded",
      [DISCARDED]: "open",
      "unreadable-0123456789abcdef0123456789abcdef": "open",
    });
    expect((await get(`/api/dead-letters/${DELIVERED}`)).json).toMatchObject({
      replays: 1,
      history: [{ attempts: 4 }],
    });
    expect(await deadLetterObject().park([letter(6)])).toBe(1);
    expect((await post(`/api/dead-letters/${DISCARDED}/discard`, { reason: "test data" })).status).toBe(200);
    const [replay] = (await get("/api/replays")).json.replays as { id: string; state: string }[];
    expect(replay).toMatchObject({ state: "paused", progress: { total: 2, skipped: 1 } });
    expect(await post(`/api/replays/${replay?.id}/cancel`)).toMatchObject({ json: { state: "done" } });
    expect((await get(`/api/dead-letters/${RETRIED}`)).json).toMatchObject({ state: "open" });
    expect(await deadLetterObject().sweepPosition()).toEqual({ cursor: "c1" });
    expect(await deadLetterObject().unsighted(["1-0", "2-0"])).toEqual(["2-0"]);
  });
});

describe.each(versionsFor("monitor"))("a monitor of version %s", (version) => {
  it("ends an incident that is open, and opens others", async () => {
    await startOn("monitor", version);
    const stub = OBJECTS.monitor.stub();
    await stub.report("newer_message", "message version 9");
    expect((await stub.incidents()).map(({ kind }) => kind)).toEqual(["dead_letters_rejected", "newer_message"]);
    await stub.resolve("dead_letters_rejected");
    expect((await stub.incidents()).map(({ kind }) => kind)).toEqual(["newer_message"]);
  });
});

describe.each(versionsFor("outbox"))("an outbox of version %s", (version) => {
  it("keeps what waits and takes more", async () => {
    await startOn("outbox", version);
    const stub = OBJECTS.outbox.stub();
    expect(await stub.holds(SPILLED)).toBe(true);
    await stub.add({ deduplicationId: "another", body: "{}", delaySeconds: 0, receivedMs: NOW_MS });
    expect((await stub.status()).waiting).toBe(3);
  });
});

/**
 * Both dumps were left by a worker that stopped while it sealed a quarter: version 1 had planned its digest, version 2 had added it to
 * the log and not published it. An anchor of the quarter before has failed, and is due again in the year 2100.
 */
describe.each(versionsFor("evidence"))("an evidence log of version %s", (version) => {
  const quarter = quarterAt(NOW_MS);
  const bucket = workerEnv.EVIDENCE as unknown as R2Bucket;

  it("ends the quarter that it was at, goes on with the same log, and knows its anchors", async () => {
    await startOn("evidence", version);
    const [published, planned] = [await deliver(quarter - 2), await deliver(quarter - 1)];
    // The leaves are in the bucket before the log names them; what else the bucket needs, the log holds.
    await bucket.put("leaves/0/org_1.jsonl", published.leaves);
    if (version !== 1) await bucket.put("leaves/1/org_1.jsonl", planned.leaves);
    expect(await evidenceLog(workerEnv).status(NOW_MS)).toEqual({
      sealedUntilMs: quarterStartMs(version === 1 ? quarter - 1 : quarter),
      size: 1,
      failing: { kind: "webhook", sinceMs: quarterStartMs(quarter - 1) },
    });
    const afterThePlan = await deliver(quarter - 1, 2);
    await evidenceLog(workerEnv).seal(NOW_MS);
    const next = await deliver(quarter);
    await evidenceLog(workerEnv).seal(quarterStartMs(quarter + 1));
    const { events, size } = await readLog(async (path) => {
      const object = await bucket.get(path);
      return object ? new Uint8Array(await object.arrayBuffer()) : undefined;
    });
    expect(size).toBe(3);
    expect(events.map(({ id, digest }) => [id, digest.number])).toEqual([
      [published.id, 0],
      [planned.id, 1],
      [afterThePlan.id, 2],
      [next.id, 2],
    ]);
  });
});

/** Delivers an event in a quarter, as a delivery settles it; the same one each time. */
async function deliver(quarter: number, minute = 1): Promise<{ readonly id: string; readonly leaves: string }> {
  const atMs = quarterStartMs(quarter) + minute * 60_000;
  const id = mintEventId(atMs, new Uint8Array(9), 7);
  const body = JSON.stringify({ organization_id: "org_1", event: { metadata: { event_id: id } } });
  const { leaf, organization } = leafOf(body);
  const attempt = { atMs, durationMs: 1, outcome: "delivered", wrote: "yes", status: 200 } as const;
  await ledgerPort(workerEnv).claim("L3", [{ id, stage: "outcome", body, occurredAtMs: atMs }], atMs);
  await ledgerPort(workerEnv).settle("L3", [{ id, attempt, leaf, organization }], atMs);
  return { id, leaves: `${JSON.stringify({ event_id: id, leaf })}\n` };
}
