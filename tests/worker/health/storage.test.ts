/** A Durable Object that fills up: people are told above 70 %, and above 90 % the ledger makes room. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { newEvidenceKey } from "../../../cli/evidence/key.ts";
import { OBJECT_MAX_BYTES } from "../../../shared/limits.ts";
import { nearlyFull } from "../../../worker/health/nearly-full.ts";
import { startDirect, type Direct } from "../support/direct.ts";
import { until } from "../support/local-path.ts";
import { recordsOf } from "../support/records.ts";

it.each([
  [0.7, undefined],
  [0.700001, "ledger 3 is 70 % full"],
  [0.999, "ledger 3 is 99 % full"],
])("%s of an object's size: %j", (part, expected) => {
  const use = [
    { object: "archive", shard: 0, bytes: 1_000 },
    { object: "ledger", shard: 3, bytes: part * OBJECT_MAX_BYTES },
  ] as const;
  expect(nearlyFull(use, OBJECT_MAX_BYTES)).toBe(expected);
});

const LIMIT = 250_000;
/** The shard of `recordOf`'s event ids. */
const SHARD = 7;

let direct: Direct;
beforeAll(async () => {
  direct = await startDirect({
    hasEvidence: true,
    vars: { AUDIT_OBJECT_MAX_BYTES: String(LIMIT), AUDIT_EVIDENCE_KEY: newEvidenceKey() },
  });
});
afterAll(() => direct.stop());

const metrics = async () => String((await direct.admin("GET", "/metrics")).json);
const storageLines = async () =>
  (await metrics()).split("\n").filter((line) => line.startsWith("audit_storage_bytes{"));
const bytesOfShard = async () => {
  const prefix = `audit_storage_bytes{object="ledger",shard="${SHARD}"} `;
  const line = (await storageLines()).find((each) => each.startsWith(prefix));
  return Number(line?.slice(prefix.length));
};
const incidents = async () =>
  (await direct.admin("GET", "/health")).json.incidents as { kind: string; detail: string }[];

const expectIncident = async () => {
  await direct.worker.scheduled();
  const detail = expect.stringMatching(/^ledger 7 is \d\d % full$/) as string;
  expect(await incidents()).toMatchObject([{ kind: "storage_nearly_full", detail }]);
};

it("is shown for each shard of each object", async () => {
  const lines = await storageLines();
  expect(lines.filter((line) => line.includes('object="ledger"'))).toHaveLength(64);
  for (const object of ["outbox", "archive", "monitor", "evidence"]) {
    expect(lines.some((line) => line.includes(`object="${object}",shard="0"`))).toBe(true);
  }
});

it("is an incident above 70 %; above 90 % delivered records are forgotten, and none that waits", async () => {
  direct.workos.faults.add({ status: 503, times: 1 });
  const [waiting] = recordsOf(1);
  await direct.deliver(waiting ? [waiting] : []);
  // Rows of delivered records, until 90 % is passed.
  for (let bytes = 0; bytes <= LIMIT * 0.9; bytes = await bytesOfShard()) {
    if (bytes > LIMIT * 0.7) await expectIncident();
    await direct.deliver(recordsOf(40));
  }
  await until(bytesOfShard, (bytes) => bytes <= LIMIT * 0.9);
  // One slice of them is all that such a small shard holds.
  await direct.worker.scheduled();
  expect(await incidents()).toEqual([]);
  const numbers = await metrics();
  expect(numbers).toContain("audit_waiting_records 1");
  expect((await direct.admin("GET", `/api/events/${waiting?.id}`)).json).toMatchObject({ state: "pending" });
});
