/** Dead letters on the stage. */
import type { AuditRecord } from "../../../shared/record.ts";
import { mintEventId } from "../../../shared/event-id.ts";
import { recordOf } from "../../worker/support/records.ts";
import type { Stage } from "./stage.ts";

/** Publishes records that WorkOS refuses, and lets the incident start. Returns their event ids. */
export async function refusedRecords(
  { path }: Stage,
  changes: readonly Partial<AuditRecord>[],
): Promise<readonly string[]> {
  path.workos.faults.add({ status: 400, body: { message: "no", code: "invalid_audit_log" } });
  const records = changes.map((change) => recordOf({ metadata: { plan: "selected-value" }, ...change }));
  for (const record of records) await path.publish([record]);
  await path.queue.idle();
  path.workos.faults.clear();
  await path.scheduled();
  return records.map(({ id }) => id);
}

/** Imports copies of a dead letter, as many as one import takes at a time. */
export async function importCopies({ path }: Stage, eventId: string, count: number): Promise<void> {
  const { json: original } = await path.get(`/api/dead-letters/${eventId}?reveal=true`);
  const atMs = Date.now();
  const lines = Array.from({ length: count }, (_, index) => {
    const random = new Uint8Array(9);
    new DataView(random.buffer).setUint32(4, index + 1);
    const id = mintEventId(atMs, random, 7);
    return JSON.stringify({ ...original, event_id: id, record: { ...original.record, id, sequence: index } });
  });
  for (let from = 0; from < lines.length; from += 1_000) {
    const { json } = await path.post("/api/dead-letters/import", `${lines.slice(from, from + 1_000).join("\n")}\n`);
    if (json.refused?.length !== 0) throw new Error(`the import was refused: ${JSON.stringify(json).slice(0, 300)}`);
  }
}
