/** Records and dead letters by number: the same number makes the same event id, a later one a later id. */
import { mintEventId } from "../../../shared/event-id.ts";
import type { AuditRecord } from "../../../shared/record.ts";
import type { DeadLetterEntry } from "../../../worker/dead-letters/entry.ts";

/** Longer ago than WorkOS remembers a key, and far younger than dead letters become. */
export const CAPTURED_MS = Math.floor(Date.now() / 86_400_000) * 86_400_000 - 24 * 86_400_000;

export function eventId(number: number): string {
  const random = new Uint8Array(9);
  new DataView(random.buffer).setUint32(2, number);
  return mintEventId(CAPTURED_MS, random, number);
}

export function numberedRecord(number: number, changes: Partial<AuditRecord> = {}): AuditRecord {
  return {
    id: eventId(number),
    stage: "outcome",
    occurredAtMs: CAPTURED_MS,
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
    firstAttemptAtMs: CAPTURED_MS + 1_000,
    lastAttemptAtMs: CAPTURED_MS + 2_000,
    record: numberedRecord(number, record),
    source: "failure_callback",
    messageId: `msg_${number}`,
    ...changes,
  };
}
