/**
 * Messages whose last attempt comes while delivery is paused, on real parts. QStash does not answer the call that holds them
 * back, so they go on to arrive at the worker, which turns them away.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { retryPlan } from "../../../shared/retry-horizon.ts";
import type { AuditRecord } from "../../../shared/record.ts";
import { sign } from "../support/direct.ts";
import { startLocalPath, until, type LocalPath } from "../support/local-path.ts";
import { messageOf, recordOf } from "../support/records.ts";

let path: LocalPath;
beforeEach(async () => {
  path = await startLocalPath();
  path.queue.setFaults({ flow_control: { status: 500 } });
});
afterEach(() => path.stop());

const letterOf = async (record: AuditRecord) => (await path.get(`/api/dead-letters/${record.id}`)).json;
const parked = (record: AuditRecord) =>
  until(
    () => path.get(`/api/dead-letters/${record.id}`),
    ({ status }) => status === 200,
  );

/** Publishes a message whose first attempt is its last. */
async function publishOnce(record: AuditRecord): Promise<void> {
  await path.publish([record], { "upstash-retries": "0" });
  await path.queue.idle();
}

async function resume(): Promise<void> {
  path.queue.setFaults({ flow_control: null });
  path.workos.faults.clear();
  expect((await path.post("/api/resume")).status).toBe(200);
}

describe("paused by a wrong credential", () => {
  const [refused, turnedAway] = [recordOf(), recordOf()];
  const pauseBy401 = async () => {
    path.workos.faults.add({ status: 401, body: { message: "Unauthorized" } });
    await publishOnce(refused);
    await publishOnce(turnedAway);
    expect(path.workos.requests().filter(({ status }) => status === 401)).toHaveLength(1);
  };

  it("both the message that met it and the one that was turned away are of class credential, and a replay delivers them", async () => {
    await pauseBy401();
    await parked(turnedAway);
    expect(await letterOf(refused)).toMatchObject({ class: "credential", reason: "http_401", status: 401 });
    expect(await letterOf(turnedAway)).toMatchObject({
      class: "credential",
      wrote: "no",
      reason: "paused_by_credential",
      source: "failure_callback",
    });
    await resume();
    const created = await path.post("/api/replays", { filter: { class: "credential" } });
    await until(
      () => path.get(`/api/replays/${created.json.id}`),
      ({ json }) => json.state === "done",
    );
    expect(path.workos.events()).toHaveLength(2);
  });

  it("the sweep says the same, even after the pause", async () => {
    path.queue.setFaults({ drop_failure_callbacks: true });
    await pauseBy401();
    await resume();
    await path.scheduled();
    expect(await letterOf(refused)).toMatchObject({ class: "credential", reason: "http_401", source: "sweep" });
    expect(await letterOf(turnedAway)).toMatchObject({
      class: "credential",
      reason: "paused_by_credential",
      source: "sweep",
    });
  });

  it("a message that had failed before keeps what is known of it", async () => {
    const failing = recordOf({ action: "a.failing" });
    // WorkOS is up and does not take this event now, so that the breaker stays closed however long the attempts take.
    path.workos.faults.add({ match: { action: "a.failing" }, status: 409 });
    await path.publish([failing]);
    await path.queue.idle();
    const [lastDelayMs = 0, ...delaysMs] = retryPlan().delaysMs.toReversed();
    for (const delayMs of delaysMs.toReversed()) {
      path.clock.advance(delayMs + 1);
      await path.queue.idle();
    }
    path.workos.faults.clear();
    await pauseBy401();
    path.clock.advance(lastDelayMs + 1);
    await path.queue.idle();
    await parked(failing);
    expect(await letterOf(failing)).toMatchObject({
      class: "credential",
      wrote: "maybe",
      reason: "paused_by_credential after http_409",
      status: 409,
      attempts: 3,
    });
  });
});

describe("a failure callback", () => {
  it.each([[null], ["?"], [true], [[]], [{}]])(
    "loses no record over a field that only describes it: %j",
    async (odd) => {
      const record = recordOf();
      const fields = ["status", "body", "retried", "dlqId", "sourceMessageId", "createdAt"];
      const text = JSON.stringify({
        sourceBody: Buffer.from(messageOf(record)).toString("base64"),
        ...Object.fromEntries(fields.map((name) => [name, odd])),
      });
      const url = `${path.url}/dead-letter`;
      const signature = await sign(text, { key: path.queue.currentSigningKey, url });
      await fetch(url, { method: "POST", headers: { "upstash-signature": signature }, body: text });
      expect(await letterOf(record)).toMatchObject({ class: "exhausted", wrote: "no" });
    },
  );
});

describe("a failure callback that comes after the pause", () => {
  const callback = async (record: AuditRecord, answer: string | undefined) => {
    const text = JSON.stringify({
      status: 503,
      ...(answer === undefined ? {} : { body: Buffer.from(answer).toString("base64") }),
      retried: 3,
      dlqId: "1-0",
      sourceMessageId: "msg_1",
      sourceBody: Buffer.from(messageOf(record)).toString("base64"),
      createdAt: Date.now(),
    });
    const url = `${path.url}/dead-letter`;
    const signature = await sign(text, { key: path.queue.currentSigningKey, url });
    return fetch(url, { method: "POST", headers: { "upstash-signature": signature }, body: text });
  };

  it.each([
    ["a pause by a wrong credential", '{"code":"paused","by":"credential"}', "credential", "paused_by_credential"],
    ["a pause by an operator", '{"code":"paused","by":"operator"}', "exhausted", "paused_by_operator"],
    [
      "a class of its own choice",
      '{"code":"paused","by":"rejected"}',
      "exhausted",
      "not_attempted worker answered 503",
    ],
    ["nothing", "", "exhausted", "not_attempted worker answered 503"],
    ["no body at all", undefined, "exhausted", "not_attempted worker answered 503"],
    ["a page", "<html>", "exhausted", "not_attempted worker answered 503"],
  ])("with %s in its answer", async (_, answer, expected, reason) => {
    const record = recordOf();
    expect((await callback(record, answer)).status).toBe(200);
    expect(await letterOf(record)).toMatchObject({ class: expected, reason, wrote: "no", attempts: 4 });
  });
});

it("paused by an operator, a message ends as exhausted, with that as its reason", async () => {
  await path.post("/api/pause");
  const record = recordOf();
  await publishOnce(record);
  await parked(record);
  expect(await letterOf(record)).toMatchObject({ class: "exhausted", wrote: "no", reason: "paused_by_operator" });
  expect(path.workos.requests()).toEqual([]);
});
