/** Whatever an operator does or looks at is on record by name: in the answer, in WorkOS, and next to the incident. On real parts. */
import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { recordOf } from "./support/records.ts";
import { startLocalPath, until, type LocalPath } from "./support/local-path.ts";

const ORGANIZATION = "org_operators";
const TOKENS = { ann: "token-of-ann-0000000000000", bob: "token-of-bob-0000000000000" };
const tokens = (["ann", "bob"] as const).map((name) => ({
  name,
  role: "admin",
  sha256: createHash("sha256").update(TOKENS[name]).digest("hex"),
}));

let path: LocalPath;
beforeAll(async () => {
  path = await startLocalPath({ AUDIT_ORGANIZATION_ID: ORGANIZATION, AUDIT_TOKENS: JSON.stringify(tokens) });
});
afterAll(() => path.stop());

// A test reads what it needs; a wrong shape fails there.
// oxlint-disable-next-line typescript/no-explicit-any
type Json = any;

async function as(name: keyof typeof TOKENS, method: string, route: string, body?: unknown): Promise<Json> {
  const response = await fetch(`${path.url}${route}`, {
    method,
    headers: { authorization: `Bearer ${TOKENS[name]}` },
    ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
  });
  expect(response.ok, `${method} ${route}: ${response.status}`).toBe(true);
  return response.json();
}

/** Events of one of the forwarder's own actions in WorkOS, once there are so many. */
async function told(action: string, count = 1): Promise<readonly Json[]> {
  const events = () => path.workos.events().filter(({ event }) => event.action === `audit_forwarder.${action}`);
  return (await until(events, ({ length }) => length >= count)).map(({ event }) => event);
}

async function refused(...records: ReturnType<typeof recordOf>[]): Promise<void> {
  path.workos.faults.add({ status: 422, body: { message: "m" } });
  for (const record of records) await path.publish([record]);
  await path.queue.idle();
  path.workos.faults.clear();
}

const incident = async (kind: string): Promise<Json> =>
  (await as("ann", "GET", "/api/incidents")).incidents.find((one: Json) => one.kind === kind);

it("a look, an export, a discard and a replay each name who did it", async () => {
  const [looked, given, sent] = [recordOf({ metadata: { plan: "pro" } }), recordOf(), recordOf()];
  await refused(looked, given, sent);

  await as("bob", "GET", `/api/dead-letters/${looked.id}`);
  expect(path.workos.events().filter(({ event }) => event.action.includes("revealed"))).toEqual([]);
  await as("ann", "GET", `/api/dead-letters/${looked.id}?reveal=true`);
  expect(await told("dead_letters_revealed")).toMatchObject([
    { actor: { id: "ann", type: "operator" }, targets: [{ id: looked.id, type: "dead_letter" }] },
  ]);

  await as("bob", "GET", "/api/dead-letters?whole=true&reveal=true&limit=2");
  expect(await told("dead_letters_exported")).toMatchObject([
    { actor: { id: "bob" }, metadata: { exported: 2, revealed: true } },
  ]);

  const discarded = await as("ann", "POST", `/api/dead-letters/${given.id}/discard`, { reason: "test" });
  expect(discarded.discarded).toMatchObject({ by: "ann", reason: "test" });
  expect(await told("dead_letter_discarded")).toMatchObject([{ actor: { id: "ann" } }]);

  const { plan } = await as("ann", "POST", "/api/replays", { event_ids: [looked.id, sent.id], dry_run: true });
  const { id } = await as("bob", "POST", "/api/replays", { plan: plan.id });
  const { receipt } = await until(
    () => as("ann", "GET", `/api/replays/${id}`),
    ({ state }) => state === "done",
  );
  expect(receipt).toMatchObject({ planned_by: "ann", by: "bob", controls: [] });
  expect(await told("replay_started")).toMatchObject([{ actor: { id: "bob" }, targets: [{ id }] }]);

  await path.scheduled();
  const { until: ended, actions } = await until(
    () => incident("dead_letters_rejected"),
    (found) => found?.until !== undefined,
  );
  expect(Date.parse(ended)).toBeLessThanOrEqual(Date.now());
  expect(actions).toMatchObject([
    { action: "audit_forwarder.dead_letter_discarded", by: "ann", target: { type: "dead_letter", id: given.id } },
    { action: "audit_forwarder.replay_started", by: "bob", target: { type: "replay", id } },
  ]);
});

it("pause and resume of delivery name who did it, and the incident shows both", async () => {
  expect(await as("ann", "POST", "/api/pause")).toMatchObject({
    paused: true,
    pause: { by: "operator", operator: "ann" },
  });
  expect(await as("bob", "POST", "/api/pause")).toMatchObject({ pause: { operator: "ann" } });
  expect(await incident("paused")).not.toHaveProperty("until");
  expect(await (await fetch(`${path.url}/health`)).text()).not.toContain("ann");
  expect(await as("bob", "POST", "/api/resume")).toEqual({ paused: false, operator: "bob" });
  expect(await incident("paused")).toMatchObject({
    until: expect.any(String),
    actions: [
      { action: "audit_forwarder.delivery_paused", by: "ann" },
      { action: "audit_forwarder.delivery_paused", by: "bob" },
      { action: "audit_forwarder.delivery_resumed", by: "bob" },
    ],
  });
  const pausers = new Set((await told("delivery_paused", 2)).map(({ actor }) => actor.id as string));
  expect(pausers).toEqual(new Set(["ann", "bob"]));
  expect(await told("delivery_resumed")).toMatchObject([{ actor: { id: "bob" } }]);
});

it("whoever pauses, resumes or cancels a replay is in its receipt", async () => {
  const records = [recordOf(), recordOf()];
  await refused(...records);
  const { id } = await as("ann", "POST", "/api/replays", { event_ids: records.map((one) => one.id), rate: 0.1 });
  await as("bob", "POST", `/api/replays/${id}/pause`);
  await as("ann", "POST", `/api/replays/${id}/resume`);
  await as("bob", "POST", `/api/replays/${id}/cancel`);
  const { receipt } = await until(
    () => as("ann", "GET", `/api/replays/${id}`),
    ({ state }) => state === "done",
  );
  expect(receipt).toMatchObject({
    by: "ann",
    controls: [
      { control: "pause", by: "bob" },
      { control: "resume", by: "ann" },
      { control: "cancel", by: "bob" },
    ],
  });
  expect(receipt).not.toHaveProperty("planned_by");
  for (const action of ["replay_paused", "replay_resumed", "replay_cancelled"]) {
    expect(await told(action)).toMatchObject([{ targets: [{ id }] }]);
  }
});

describe("an imported record", () => {
  it("says so in its event, is counted apart, and fills no gap", async () => {
    const gateway = { isolateId: "far-away", policyVersion: "1" };
    const [first, forged, third] = [1, 2, 3].map((sequence) => recordOf({ gateway, sequence }));
    if (!first || !forged || !third) throw new Error("three records");
    await path.publish([first, third]);
    const entry = {
      event_id: forged.id,
      class: "rejected",
      wrote: "no",
      reason: "http_422",
      attempts: 1,
      source: "worker",
      parked_at: new Date().toISOString(),
      replays: 0,
      record: forged,
      history: [],
    };
    const imported = await as("ann", "POST", "/api/dead-letters/import", JSON.stringify(entry));
    expect(imported).toMatchObject({ imported: 1, by: "ann", at: expect.any(String) });
    expect(await told("dead_letters_imported")).toMatchObject([{ actor: { id: "ann" }, metadata: { imported: 1 } }]);
    expect(await as("bob", "GET", `/api/dead-letters/${forged.id}`)).toMatchObject({
      imported: { by: "ann", at: imported.at },
    });

    const hour = 3_600_000;
    const span = `since=${new Date(Date.now() - hour).toISOString()}&until=${new Date(Date.now() + hour).toISOString()}`;
    const gapOf = async (): Promise<Json> => {
      const { imported: apart, gaps } = await as("bob", "GET", `/api/verify?${span}`);
      return { apart, missing: gaps.find((gap: Json) => gap.isolate_id === "far-away")?.missing };
    };
    expect(await until(gapOf, ({ missing }) => missing !== undefined)).toEqual({
      apart: 1,
      missing: [{ from: 2, to: 2 }],
    });
    await as("bob", "POST", "/api/replays", { event_ids: [forged.id] });
    const events = () => path.workos.events().filter(({ event }) => event.metadata["event_id"] === forged.id);
    const [stored] = await until(events, ({ length }) => length > 0);
    expect(stored?.event.metadata).toMatchObject({ imported_by: "ann", imported_at: imported.at });
    await path.queue.idle();
    expect(await gapOf()).toEqual({ apart: 1, missing: [{ from: 2, to: 2 }] });
  });

  it("cannot be one about an operator", async () => {
    const record = recordOf({
      action: "audit_forwarder.delivery_paused",
      gateway: { isolateId: "worker", policyVersion: "worker" },
    });
    const entry = {
      event_id: record.id,
      class: "rejected",
      wrote: "no",
      reason: "http_422",
      attempts: 1,
      source: "worker",
      parked_at: new Date().toISOString(),
      replays: 0,
      record,
      history: [],
    };
    expect(await as("ann", "POST", "/api/dead-letters/import", JSON.stringify(entry))).toMatchObject({
      imported: 0,
      refused: [{ line: 1, detail: '"record" is about an operator of the audit forwarder itself' }],
    });
  });
});

it("an event about an operator that WorkOS refuses is counted and one incident, never a dead letter", async () => {
  await told("replay_started", 3);
  path.workos.faults.add({
    status: 404,
    body: { message: "Organization not found" },
    match: { organization_id: ORGANIZATION },
  });
  for (let times = 0; times < 3; times++) await as("ann", "POST", "/api/resume");
  const count = async () =>
    Number(/^audit_operator_events_refused_total (\d+)$/m.exec(await path.text("/metrics"))?.[1]);
  expect(await until(count, (refusals) => refusals >= 3)).toBe(3);
  await path.exhaust();
  await path.scheduled();
  expect(await count()).toBe(3);
  const letters = await as("ann", "GET", "/api/dead-letters?state=open,replaying,delivered,discarded&limit=500");
  expect(letters.dead_letters.filter(({ action }: Json) => action?.startsWith("audit_forwarder."))).toEqual([]);
  const { incidents } = await as("ann", "GET", "/api/incidents");
  // A cancelled replay may have left one of its records open, so an incident about dead letters may be there.
  const open = incidents.filter((one: Json) => one.until === undefined).map(({ kind }: Json) => kind);
  expect(open.filter((kind: string) => kind !== "dead_letters_rejected")).toEqual(["operator_events_refused"]);
  expect(incidents.filter(({ kind }: Json) => kind === "operator_events_refused")).toHaveLength(1);
});
