/** Failure callbacks and the sweep of QStash's own dead-letter queue, on real parts. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { AuditRecord } from "../../../shared/record.ts";
import { publishHeaders } from "../../../shared/qstash-headers.ts";
import { startLocalPath, until, type LocalPath } from "../support/local-path.ts";
import { messageOf, recordOf, recordsOf } from "../support/records.ts";

/** WorkOS is up and does not take this event now, so that the breaker leaves the schedule of retries alone. */
const REFUSED = { status: 409, body: { message: "m" } };

let path: LocalPath;
beforeEach(async () => {
  path = await startLocalPath();
});
afterEach(() => path.stop());

const letters = async () => (await path.get("/api/dead-letters?limit=500")).json.dead_letters;
const idsOf = (items: readonly (AuditRecord | { event_id: string })[]) =>
  items.map((item) => ("id" in item ? item.id : item.event_id)).toSorted();

/** Rejected at once, so that the message is in QStash's dead-letter queue without waiting. */
async function rejectedAtOnce(messages: readonly (readonly AuditRecord[])[]): Promise<void> {
  path.workos.faults.add({ status: 400, body: { message: "no" } });
  for (const records of messages) await path.publish(records);
  await path.queue.idle();
  path.workos.faults.clear();
}

/** Puts a message into QStash's dead-letter queue that reaches ours only by the sweep. */
async function deadAtQStash(
  body: string,
  headers: Record<string, string> = {},
  url = `${path.url}/deliver`,
): Promise<void> {
  const given: Record<string, string> = {
    ...publishHeaders({ workerUrl: path.url, deduplicationId: crypto.randomUUID() }),
    "upstash-retries": "0",
    ...headers,
  };
  const { "upstash-failure-callback": _callback, ...rest } = given;
  await fetch(`${path.queue.url}/v2/publish/${url}`, {
    method: "POST",
    headers: { ...rest, authorization: `Bearer ${path.queue.token}` },
    body,
  });
  await path.queue.idle();
}

async function outage(run: () => Promise<void>): Promise<void> {
  path.workos.faults.add(REFUSED);
  await run();
  path.workos.faults.clear();
}

describe("a lost failure callback", () => {
  it("is made good by the sweep, once", async () => {
    const records = recordsOf(3);
    path.queue.setFaults({ drop_failure_callbacks: true });
    path.workos.faults.add(REFUSED);
    for (const record of records) await path.publish([record]);
    await path.exhaust();
    path.workos.faults.clear();
    expect(await letters()).toEqual([]);

    await path.scheduled();
    const found = await letters();
    expect(idsOf(found)).toEqual(idsOf(records));
    expect(found[0]).toMatchObject({ class: "exhausted", source: "sweep", status: 409, attempts: 4, wrote: "maybe" });
    const [before] = found;
    await path.scheduled();
    expect((await letters())[0]).toEqual(before);

    const created = await path.post("/api/replays", { all: true });
    expect(created.json.plan).toMatchObject({ send: 3 });
  });

  it("costs nothing where the worker had archived the record itself", async () => {
    const records = recordsOf(2);
    path.queue.setFaults({ drop_failure_callbacks: true });
    await rejectedAtOnce([records]);
    await path.scheduled();
    const found = await letters();
    expect(idsOf(found)).toEqual(idsOf(records));
    for (const letter of found)
      expect(letter).toMatchObject({
        class: "rejected",
        source: "worker",
        reason: expect.stringContaining("http_400"),
      });
    expect((await path.get(`/api/dead-letters/${records[0]?.id}`)).json).toMatchObject({
      dlq_id: expect.any(String),
      history: [],
    });
  });
});

describe("the sweep", () => {
  it("leaves other people's messages alone", async () => {
    await outage(async () => {
      await deadAtQStash(messageOf(recordOf()), { "upstash-label": "someone-else" });
      await deadAtQStash(messageOf(recordOf()), {}, `${path.workos.url}/deliver`);
    });
    await path.scheduled();
    expect(await letters()).toEqual([]);
  });

  it("keeps bytes that cannot be decoded", async () => {
    await outage(() => deadAtQStash('{"v":2,"records":[{"id":"x"}]}'));
    await path.scheduled();
    expect(await letters()).toMatchObject([
      { class: "unreadable", source: "sweep", reason: "unreadable version 2 is newer than this worker" },
    ]);
  });

  it("reads every page", async () => {
    const records = recordsOf(230);
    await outage(async () => {
      path.queue.setFaults({ drop_failure_callbacks: true });
      for (const record of records) {
        await fetch(`${path.queue.url}/v2/publish/${path.url}/deliver`, {
          method: "POST",
          headers: {
            ...publishHeaders({ workerUrl: path.url, deduplicationId: record.id, rate: 100_000, parallelism: 50 }),
            "upstash-retries": "0",
            authorization: `Bearer ${path.queue.token}`,
          },
          body: messageOf(record),
        });
      }
      await path.queue.idle();
    });
    await path.scheduled();
    expect(idsOf(await letters())).toEqual(idsOf(records));
  });

  it("waits out a short rate limit and goes on", async () => {
    await outage(() => deadAtQStash(messageOf(recordOf())));
    path.queue.setFaults({ listing: { status: 429, times: 2 } });
    await path.scheduled();
    expect(await letters()).toHaveLength(1);
  });

  it("survives a QStash that fails, and finds it the next time", async () => {
    await outage(() => deadAtQStash(messageOf(recordOf())));
    path.queue.setFaults({ listing: { status: 500 } });
    await path.scheduled();
    expect(await letters()).toEqual([]);
    path.queue.clearFaults();
    await path.scheduled();
    expect(await letters()).toHaveLength(1);
  });
});

describe("the failure callback", () => {
  it.each([
    ["no signature", {}, 401, "invalid_signature"],
    ["a wrong signature", { "upstash-signature": "e30.e30.e30" }, 401, "invalid_signature"],
    ["an admin token in its place", { authorization: "Bearer x" }, 401, "invalid_signature"],
  ])("is refused with %s", async (_, headers, status, code) => {
    const response = await fetch(`${path.url}/dead-letter`, { method: "POST", headers, body: "{}" });
    expect({ status: response.status, ...((await response.json()) as object) }).toMatchObject({ status, code });
    expect(await letters()).toEqual([]);
  });

  it("splits a message of several records by what the ledger knows", async () => {
    const [delivered, refused, failing] = [
      recordOf({ action: "a.ok" }),
      recordOf({ action: "a.refused" }),
      recordOf({ action: "a.failing" }),
    ];
    path.workos.faults.add({ match: { action: "a.refused" }, status: 422, body: { message: "no" } });
    path.workos.faults.add({ match: { action: "a.failing" }, ...REFUSED });
    await path.publish([delivered, refused, failing]);
    await path.exhaust();
    const found = await letters();
    expect(idsOf(found)).toEqual(idsOf([refused, failing]));
    expect(found.find((letter: { action: string }) => letter.action === "a.refused")).toMatchObject({
      class: "rejected",
      source: "worker",
    });
    expect(found.find((letter: { action: string }) => letter.action === "a.failing")).toMatchObject({
      class: "exhausted",
      source: "failure_callback",
      attempts: 4,
    });
    expect(path.workos.events()).toHaveLength(1);

    path.workos.faults.clear();
    const created = await path.post("/api/replays", { all: true });
    expect(created.json.plan).toMatchObject({ send: 2, by_class: { rejected: 1, exhausted: 1 } });
  });

  it("makes class credential of what a wrong API key ended; resuming and replaying delivers it", async () => {
    const record = recordOf();
    path.workos.faults.add({ status: 401, body: { message: "Unauthorized" } });
    await path.publish([record], { "upstash-retries": "0" });
    const [found] = await until(letters, (listed) => listed.length === 1);
    expect(found).toMatchObject({ class: "credential", wrote: "no", status: 401, event_id: record.id });

    path.workos.faults.clear();
    expect((await path.post("/api/resume")).status).toBe(200);
    const created = await path.post("/api/replays", { filter: { class: "credential" } });
    const done = await until(
      () => path.get(`/api/replays/${created.json.id}`),
      ({ json }) => json.state === "done",
    );
    expect(done.json.progress).toMatchObject({ delivered: 1 });
    expect(path.workos.events()).toHaveLength(1);
  });
});
