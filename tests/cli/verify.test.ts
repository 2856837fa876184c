import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { recordOf } from "../worker/support/records.ts";
import { deploy, type Deployment } from "./dead-letters/support.ts";
import { json } from "./support/run-cli.ts";

let worker: Deployment;
beforeEach(async () => {
  worker = await deploy();
});
afterEach(() => worker.stop());

const NOW = ["verify", "--until", "0s", "--json"];

/** Publishes one record for each sequence number of an isolate. */
async function publish(isolateId: string, sequences: readonly number[], fields: object = {}): Promise<void> {
  const gateway = { isolateId, policyVersion: "0.1.0" };
  for (const sequence of sequences) await worker.publish([recordOf({ gateway, sequence, ...fields })]);
  await worker.queue.idle();
}

describe("verify", () => {
  test("is content where every number arrived, delivered or dead", async () => {
    await publish("iso-a", [1, 2, 3]);
    worker.workos.faults.add({ status: 400, body: { code: "invalid_audit_log", message: "no", errors: [] } });
    await publish("iso-a", [4]);
    const found = await worker.cli(NOW);
    expect({ code: found.code, ...json(found) }).toMatchObject({
      code: 0,
      isolates: 1,
      seen: 4,
      missing_records: 0,
      missing: [],
      gaps: [],
    });
  });

  test("counts a record that never got as far as the ledger", async () => {
    await publish("iso-a", [1, 3]);
    await publish("iso-a", [2], { organization: undefined });
    expect(json(await worker.cli(NOW))).toMatchObject({ seen: 3, missing_records: 0, missing: [] });
  });

  test("counts imported records apart: they fill no gap", async () => {
    await publish("iso-a", [1, 3]);
    const record = recordOf({ gateway: { isolateId: "iso-a", policyVersion: "0.1.0" }, sequence: 2 });
    const failure = { class: "rejected", wrote: "no", reason: "http_422", attempts: 1, source: "worker" };
    const parked_at = new Date().toISOString();
    const entry = { ...failure, event_id: record.id, parked_at, replays: 0, record, history: [] };
    await worker.post("/api/dead-letters/import", entry);
    const { code, stdout } = await worker.cli(["verify", "--until", "0s"]);
    expect(code).toBe(1);
    expect(stdout).toContain("1 record imported, counted separately");
    expect(json(await worker.cli(NOW))).toMatchObject({ seen: 2, missing_records: 1, imported: 1 });
  });

  test("names what is missing by isolate, and exits 1", async () => {
    await publish("iso-a", [1, 2, 5, 9]);
    await publish("iso-b", [7, 8]);
    const { code, stdout } = await worker.cli(["verify", "--until", "0s"]);
    expect(code).toBe(1);
    expect(stdout.split("\n").slice(0, 2)).toEqual(["isolate\trange\tseen\tmissing", "iso-a\t1-9\t4\t3-4, 6-8"]);
    expect(stdout).toContain("6 records of 2 isolates seen, 5 missing, from ");
  });

  test("looks only at the time it is told", async () => {
    await publish("iso-a", [1, 3]);
    expect(json(await worker.cli(["verify", "--json"]))).toMatchObject({ isolates: 0, seen: 0, missing_records: 0 });
    expect(json(await worker.cli(["verify", "--json", "--since", "2h", "--until", "1h"]))).toMatchObject({ seen: 0 });
  });

  test("leaves the doctor's own event out, here and in the metrics", async () => {
    const gateway = { isolateId: "doctor", policyVersion: "doctor" };
    await worker.publish([recordOf({ gateway, sequence: 0 })]);
    await worker.queue.idle();
    expect(worker.stored()).toHaveLength(1);
    expect(json(await worker.cli(NOW))).toMatchObject({ isolates: 0 });
    const headers = { authorization: `Bearer ${worker.env.AUDIT_ADMIN_TOKEN}` };
    const metrics = await (await fetch(`${worker.url}/metrics`, { headers })).text();
    expect(metrics).toMatch(/audit_attempts_total\{outcome="delivered"\} 0\n/);
  });
});
