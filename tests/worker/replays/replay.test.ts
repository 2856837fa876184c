/** Dead letters and their replay, end to end on real parts: development queue, worker in workerd, WorkOS stand-in. */
import { createHash } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deduplicationId, publishHeaders, publishPath } from "../../../shared/qstash-headers.ts";
import type { AuditRecord } from "../../../shared/record.ts";
import { encodeMessage } from "../../../shared/wire.ts";
import { ADMIN_TOKEN, startLocalPath, until, type LocalPath } from "../support/local-path.ts";
import { recordOf, recordsOf } from "../support/records.ts";

/** WorkOS is up and does not take this event now, so that the breaker leaves the schedule of retries alone. */
const REFUSED = { status: 409, body: { message: "m" } };

let path: LocalPath;
beforeEach(async () => {
  path = await startLocalPath();
});
afterEach(() => path.stop());

const idsOf = (records: readonly AuditRecord[]) => records.map(({ id }) => id).toSorted();
const storedIds = () =>
  path.workos
    .events()
    .map((event) => String(event.event.metadata["event_id"]))
    .toSorted();
const openIds = async () =>
  (await path.get("/api/dead-letters?state=open&limit=500")).json.dead_letters
    .map(({ event_id }: { event_id: string }) => event_id)
    .toSorted();
const stateOf = async (id: string) => (await path.get(`/api/events/${id}`)).json.state;
const replayed = async (body: object) => {
  const created = await path.post("/api/replays", body);
  expect(created.status).toBe(201);
  return ended(created.json.id);
};
const ended = async (id: string) =>
  (
    await until(
      () => path.get(`/api/replays/${id}`),
      ({ json }) => json.state === "done" || json.state === "stopped",
    )
  ).json;
const dlq = async () => {
  const response = await fetch(`${path.queue.url}/v2/dlq`, {
    headers: { authorization: `Bearer ${path.queue.token}` },
  });
  return ((await response.json()) as { messages: { dlqId: string }[] }).messages;
};

/** Publishes records one by one and lets every attempt fail with 409. */
async function exhausted(count: number): Promise<AuditRecord[]> {
  const records = recordsOf(count);
  path.workos.faults.add(REFUSED);
  for (const record of records) await path.publish([record]);
  await path.exhaust();
  path.workos.faults.clear();
  return records;
}

/** Publishes records that WorkOS refuses with 400. */
async function rejected(count: number, fields: Partial<AuditRecord> = {}): Promise<AuditRecord[]> {
  const records = recordsOf(count, fields);
  path.workos.faults.add({ status: 400, body: { code: "invalid_audit_log", message: "no", errors: [] } });
  for (const record of records) await path.publish([record]);
  await path.queue.idle();
  path.workos.faults.clear();
  return records;
}

/** One message whose requests to WorkOS are not spread over time. */
async function publishUnpaced(records: readonly AuditRecord[]): Promise<void> {
  const response = await fetch(`${path.queue.url}${publishPath(path.url)}`, {
    method: "POST",
    headers: {
      ...publishHeaders({ workerUrl: path.url, deduplicationId: deduplicationId(records), rate: 10_000 }),
      authorization: `Bearer ${path.queue.token}`,
    },
    body: JSON.stringify(encodeMessage(records)),
  });
  expect(response.ok).toBe(true);
}

describe("an outage of WorkOS beyond the retries", () => {
  it("leaves dead letters that a replay delivers, each once, and QStash's own go", async () => {
    const records = await exhausted(5);
    const { json } = await path.get("/api/dead-letters");
    expect(json.dead_letters).toHaveLength(5);
    for (const letter of json.dead_letters) {
      expect(letter).toMatchObject({
        class: "exhausted",
        wrote: "maybe",
        reason: "http_409",
        status: 409,
        attempts: 4,
        state: "open",
      });
    }
    expect(await dlq()).toHaveLength(5);

    const replay = await replayed({ all: true, name: "outage" });
    expect(replay.progress).toEqual({
      state: "done",
      total: 5,
      published: 5,
      delivered: 5,
      failed_again: 0,
      skipped: 0,
    });
    expect(storedIds()).toEqual(idsOf(records));
    expect(await openIds()).toEqual([]);
    await until(dlq, (left) => left.length === 0);
    expect(await stateOf(records[0]?.id ?? "")).toBe("delivered");
  });

  it("is replayed a second time without sending anything", async () => {
    const records = await exhausted(3);
    await replayed({ all: true });
    const again = await replayed({ event_ids: idsOf(records) });
    expect(again.plan).toMatchObject({ send: 0, skip: 3, skip_reasons: { delivered: 3 } });
    expect(path.workos.events()).toHaveLength(3);
  });

  it("keeps the dead letter with its history when the replay fails again", async () => {
    const [record] = await exhausted(1);
    path.workos.faults.add(REFUSED);
    const created = await path.post("/api/replays", { all: true });
    await until(
      () => path.get(`/api/replays/${created.json.id}`),
      ({ json }) => json.progress.published === 1,
    );
    await path.exhaust();
    const replay = await ended(created.json.id);
    expect(replay.progress).toMatchObject({ delivered: 0, failed_again: 1 });
    const { json } = await path.get(`/api/dead-letters/${record?.id}`);
    expect(json).toMatchObject({ state: "open", class: "exhausted", replays: 1, replay_id: created.json.id });
    expect(json.history).toHaveLength(1);
    expect(json.history[0]).toMatchObject({ class: "exhausted", reason: "http_409", attempts: 4 });

    path.workos.faults.clear();
    const second = await replayed({ all: true });
    expect(second.progress).toMatchObject({ delivered: 1 });
    expect(storedIds()).toEqual([record?.id]);
  });
});

describe("a definite rejection", () => {
  it("is replayed under a new key once its cause is mended outside", async () => {
    const [record] = await rejected(1);
    expect((await path.get("/api/dead-letters")).json.dead_letters).toMatchObject([
      { event_id: record?.id, class: "rejected", wrote: "no", status: 400, source: "worker" },
    ]);
    await replayed({ filter: { class: "rejected" } });
    expect(storedIds()).toEqual([record?.id]);
    expect(path.workos.requests().at(-1)?.idempotency_key).toBe(`${record?.id}:r1`);
  });

  it("is mended by the replay, keeps its id and time, and says so", async () => {
    const record = recordOf({
      action: "user.create",
      organization: "org_wrong",
      metadata: { plan: "secret-plan", kept: 1 },
    });
    path.workos.faults.add({ match: { action: "user.create" }, status: 422, body: { message: "no", errors: [] } });
    await path.publish([record]);
    await path.queue.idle();
    const mend = {
      map: { action: { "user.create": "user.created" } },
      set: { organization: "org_right" },
      drop: ["metadata.plan"],
    };
    const plan = await path.post("/api/replays", { all: true, dry_run: true, ...mend });
    expect(plan.status).toBe(200);
    expect(plan.json).toMatchObject({
      id: null,
      state: "planned",
      plan: { send: 1, mend: { changed: 1, unchanged: 0 } },
    });
    expect(plan.json.plan.mend.sample[0].changes).toEqual([
      { field: "action", from: "user.create", to: "user.created" },
      { field: "organization", from: "org_wrong", to: "org_right" },
      { field: "metadata.plan", from: "[hidden]", to: null },
    ]);

    const replay = await replayed({ all: true, ...mend });
    const [stored] = path.workos.events();
    expect(stored).toMatchObject({
      organization_id: "org_right",
      event: {
        action: "user.created",
        occurred_at: new Date(record.occurredAtMs).toISOString(),
        metadata: { event_id: record.id, replay_id: replay.id, kept: 1 },
      },
    });
    expect(stored?.event.metadata["mended"]).toMatch(/action.*organization.*metadata\.plan/);
    expect(stored?.event.metadata["plan"]).toBeUndefined();
  });

  it("comes back with the mended record when it is rejected again", async () => {
    const [record] = await rejected(1);
    path.workos.faults.add({ status: 400, body: { message: "no" } });
    const replay = await replayed({ all: true, set: { action: "user.renamed" } });
    expect(replay.progress).toMatchObject({ published: 1, failed_again: 1 });
    const { json } = await path.get(`/api/dead-letters/${record?.id}`);
    expect(json).toMatchObject({
      action: "user.renamed",
      mended: ["action"],
      attempts: 2,
      history: [{ class: "rejected" }],
    });
    expect(json.history).toHaveLength(1);
  });
});

describe("the plan", () => {
  it("skips what was delivered, discarded, unknown or is being replayed, and names each reason", async () => {
    const records = await exhausted(3);
    const [first, second, third] = idsOf(records);
    // Fails for as long as the test lasts, so that the record stays in its replay.
    path.workos.faults.add(REFUSED);
    await path.post("/api/replays", { event_ids: [first], rate: 0.1 });
    await path.post(`/api/dead-letters/${second}/discard`, { reason: "test traffic" });
    const { json } = await path.post("/api/replays", {
      event_ids: [first, second, third, "unknown-id"],
      dry_run: true,
    });
    expect(json.plan).toMatchObject({
      send: 1,
      skip: 3,
      skip_reasons: { in_replay: 1, discarded: 1, not_found: 1 },
      by_class: { exhausted: 1 },
      age: { within_24h: 1, beyond_24h: 0, never_attempted: 0 },
      duplicates_possible: 0,
      needs_accept_duplicates: false,
    });
  });
});

describe("pausing and stopping", () => {
  it("publishes nothing while paused, goes on when resumed", async () => {
    await exhausted(6);
    const created = await path.post("/api/replays", { all: true, rate: 0.1 });
    const id = created.json.id;
    await until(
      () => path.get(`/api/replays/${id}`),
      ({ json }) => json.progress.published >= 1,
    );
    expect((await path.post(`/api/replays/${id}/pause`)).json.state).toBe("paused");
    const paused = await path.get(`/api/replays/${id}`);
    expect(paused.json.progress.published).toBeLessThan(6);
    expect((await path.post(`/api/replays/${id}/pause`)).status).toBe(200);
    expect((await path.post(`/api/replays/${id}/cancel`)).status).toBe(200);
    const done = await ended(id);
    expect(done.progress.published + done.progress.skipped).toBe(6);
    expect(done.receipt.skip_reasons).toEqual({ cancelled: done.progress.skipped });
    expect(await openIds()).toHaveLength(done.progress.skipped);
    expect((await path.post(`/api/replays/${id}/pause`)).status).toBe(409);
  });

  it("stops on its error rate and can be resumed", async () => {
    const records = await rejected(80);
    path.workos.faults.add({ status: 400, body: { message: "still no" } });
    // It is judged from 20 records on: slow enough that these have long failed before the last is published.
    const created = await path.post("/api/replays", { all: true, rate: 8, stop_on_error_rate: 0.5 });
    const stopped = await ended(created.json.id);
    expect(stopped.state).toBe("stopped");
    expect(stopped.progress.published).toBeLessThan(80);
    path.workos.faults.clear();
    await path.post(`/api/replays/${created.json.id}/resume`);
    const done = await ended(created.json.id);
    expect(done.state).toBe("done");
    await replayed({ all: true });
    expect(storedIds()).toEqual(idsOf(records));
  });
});

describe("the receipt", () => {
  it("can be checked against the items", async () => {
    await exhausted(3);
    const replay = await replayed({ all: true, name: "checked" });
    const { receipt } = replay;
    expect(receipt).toMatchObject({
      by: "admin",
      name: "checked",
      counts: { total: 3, delivered: 3, failed_again: 0, skipped: 0 },
    });
    const { status, json } = await path.get(`/api/replays/${replay.id}/items?limit=2`);
    expect({ status, json }).toMatchObject({ status: 200, json: { items: [{}, {}] } });
    const rest = await path.get(`/api/replays/${replay.id}/items?cursor=${json.cursor}`);
    const items = [...json.items, ...rest.json.items];
    expect(items).toHaveLength(3);
    const lines = items.map(({ event_id, n, outcome, reason }) => `${event_id} ${n} ${outcome} ${reason ?? "-"}\n`);
    expect(sha256(lines.join(""))).toBe(receipt.outcomes_sha256);
    const { sha256: own, ...rest2 } = receipt;
    expect(sha256(JSON.stringify(rest2))).toBe(own);
  });
});

describe("a kill in the middle of a replay", () => {
  it("is survived: every event once, nothing left over", async () => {
    const records = await exhausted(60);
    // Deliveries wait, so that the kill hits the publishing; a delivery that is cut off is another test's matter.
    await path.switchFlow("pause");
    const created = await path.post("/api/replays", { all: true, rate: 30 });
    await until(
      () => path.get(`/api/replays/${created.json.id}`),
      ({ json }) => json.progress.published >= 15,
    );
    await path.killWorker();
    await path.restartWorker();
    await path.switchFlow("resume");
    const done = await ended(created.json.id);
    expect(done.progress).toMatchObject({ total: 60, published: 60, delivered: 60 });
    expect(storedIds()).toEqual(idsOf(records));
  });
});

function sha256(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Worker and queue each keep a rate by their own clock. */
async function secondPasses(): Promise<void> {
  await path.advanceWorker(1_000);
  path.clock.advance(1_000);
}

it("replays 2,000 dead letters, each once", { timeout: 300_000 }, async () => {
  const records = recordsOf(2_000);
  path.workos.faults.add({ status: 400, body: { message: "no" } });
  for (let start = 0; start < records.length; start += 100) await publishUnpaced(records.slice(start, start + 100));
  const parked = async () => {
    await secondPasses();
    return (await path.get("/api/dead-letters?group_by=class")).json.total as number;
  };
  expect(await until(parked, (total) => total >= 2_000)).toBe(2_000);
  path.workos.faults.clear();
  const created = await path.post("/api/replays", { all: true, rate: 500 });
  expect(created.json.plan).toMatchObject({ send: 2_000, skip: 0 });
  const done = await until(
    async () => {
      await secondPasses();
      return path.get(`/api/replays/${created.json.id}`);
    },
    ({ json }) => json.state === "done",
    250_000,
  );
  expect(done.json.progress).toMatchObject({ published: 2_000, delivered: 2_000, failed_again: 0, skipped: 0 });
  expect(storedIds()).toEqual(idsOf(records));
  expect(await openIds()).toEqual([]);
});

it("shows no secret in any answer", async () => {
  const [record] = await rejected(1, {
    metadata: { canary: "metadata-canary" },
    actor: { id: "u", type: "user", metadata: { key: "actor-canary" } },
  });
  const replay = await replayed({ all: true, drop: ["metadata.canary"] });
  const answers = await Promise.all(
    [
      "/api/dead-letters?state=open,replaying,delivered,discarded",
      "/api/dead-letters?whole=true&state=delivered",
      `/api/dead-letters/${record?.id}`,
      "/api/replays",
      `/api/replays/${replay.id}`,
      `/api/replays/${replay.id}/items`,
    ].map((route) => path.get(route)),
  );
  const text = JSON.stringify(answers);
  for (const secret of [
    "metadata-canary",
    "actor-canary",
    ADMIN_TOKEN,
    path.queue.token,
    path.workos.apiKey,
    path.queue.currentSigningKey,
  ]) {
    expect(text).not.toContain(secret);
  }
  expect(JSON.stringify(await path.get(`/api/dead-letters/${record?.id}?reveal=true`))).toContain("actor-canary");
});
