/** Records and messages as the policy writes them. */
import { mintEventId } from "../../../shared/event-id.ts";
import type { AuditRecord } from "../../../shared/record.ts";
import { encodeMessage } from "../../../shared/wire.ts";

let sequence = 0;

export function recordOf(fields: Partial<AuditRecord> = {}): AuditRecord {
  sequence += 1;
  const occurredAtMs = fields.occurredAtMs ?? Date.now();
  return {
    id: mintEventId(occurredAtMs, crypto.getRandomValues(new Uint8Array(9)), 7),
    stage: "outcome",
    occurredAtMs,
    action: "user.signed_in",
    organization: "org_01EHWNCE74X7JSDV0X3SZ3KJNY",
    actor: { id: "user_1", type: "user", name: "Ada" },
    targets: [{ id: "team_1", type: "team" }],
    method: "POST",
    route: "/sessions",
    status: 200,
    outcome: "success",
    assurance: "best-effort",
    gateway: { isolateId: "iso1", policyVersion: "0.1.0" },
    sequence,
    ...fields,
  };
}

export function recordsOf(count: number, fields: Partial<AuditRecord> = {}): AuditRecord[] {
  return Array.from({ length: count }, () => recordOf(fields));
}

/** The JSON of a message. */
export function messageOf(...records: readonly AuditRecord[]): string {
  return JSON.stringify(encodeMessage(records));
}
