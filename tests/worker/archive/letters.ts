/** Records and dead letters by number: the same number makes the same event id, a later one a later id. */
import { mintEventId } from "../../../shared/event-id.ts";
import type { AuditRecord } from "../../../shared/record.ts";
import type { DeadLetterEntry } from "../../../worker/archive/dead-letter.ts";

export const NOVEMBER = Date.UTC(2026, 10, 1);

export function eventId(number: number): string {
  const random = new Uint8Array(9);
  new DataView(random.buffer).setUint32(2, number);
  return mintEventId(NOVEMBER, random, number);
}

export function numberedRecord(number: number, changes: Partial<AuditRecord> = {}): AuditRecord {
  return {
    id: eventId(number),
    stage: "outcome",
    occurredAtMs: NOVEMBER,
    action: "user.created",
    organization: "org_01",
    actor: { id: `user_${number}`, type: "user" },
    targets: [{ id: `team_${number}`, type: "team" }],
    method: "POST",
    route: "/v1/users",
    status: 201,
    outcome: "success",
    assurance: "best-effort",
    gateway: { isolateId: "iso-1", policyVersion: "1" },
    sequence: number,
    ...changes,
  };
}

export function letter(
  number: number,
  changes: Partial<DeadLetterEntry> = {},
  record: Partial<AuditRecord> = {},
): DeadLetterEntry {
  return {
    eventId: eventId(number),
    class: "exhausted",
    wrote: "maybe",
    reason: "http_503",
    status: 503,
    attempts: 4,
    firstAttemptAtMs: NOVEMBER + 1_000,
    lastAttemptAtMs: NOVEMBER + 2_000,
    record: numberedRecord(number, record),
    source: "failure_callback",
    messageId: `msg_${number}`,
    ...changes,
  };
}
