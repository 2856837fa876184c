/** What an operator does to the forwarder is itself an audit event, sent the same way as any other. */
import { mintEventId } from "../shared/event-id.ts";
import type { OperatorActionName } from "../shared/operator-actions.ts";
import { deduplicationId } from "../shared/publish-headers.ts";
import type { AuditRecord, Metadata, Party } from "../shared/record.ts";
import { encodeMessage } from "../shared/wire.ts";
import type { Env } from "./env.ts";
import { outboxOf } from "./outbox/client.ts";
import type { Settings } from "./variables.ts";

export interface OperatorEvent {
  readonly action: OperatorActionName;
  /** Route of the request that did it. */
  readonly route: string;
  readonly by: string;
  readonly targets: readonly Party[];
  readonly metadata?: Metadata;
}

type OperatorSettings = Pick<Settings, "AUDIT_OPERATOR_EVENTS" | "AUDIT_ORGANIZATION_ID">;

let isSkipLogged = false;

/**
 * Hands the event to the outbox, which stores it before this resolves. Does nothing where `AUDIT_OPERATOR_EVENTS` is `off` or
 * no organization is set. Never throws: what the operator asked for is done already.
 */
export async function recordOperatorEvent(
  env: Pick<Env, "OUTBOX">,
  settings: OperatorSettings,
  event: OperatorEvent,
): Promise<void> {
  if (settings.AUDIT_OPERATOR_EVENTS === "off") return;
  const organization = settings.AUDIT_ORGANIZATION_ID;
  if (organization === undefined) {
    if (!isSkipLogged) log("audit.operator_event_skipped", event, '"AUDIT_ORGANIZATION_ID" is not set');
    isSkipLogged = true;
    return;
  }
  const nowMs = Date.now();
  const record = operatorRecord(event, organization, nowMs, crypto.getRandomValues(new Uint8Array(9)));
  const id = deduplicationId([record]);
  const body = JSON.stringify(encodeMessage([record]));
  try {
    await outboxOf(env, id).add({ deduplicationId: id, body, delaySeconds: 0, receivedMs: nowMs });
  } catch {
    log("audit.operator_event_lost", event, "the outbox does not answer");
  }
}

/** The record of what an operator did. Pure; `random` must hold at least 9 bytes. */
export function operatorRecord(
  event: OperatorEvent,
  organization: string,
  nowMs: number,
  random: Uint8Array,
): AuditRecord {
  return {
    id: mintEventId(nowMs, random, random[0] ?? 0),
    stage: "outcome",
    occurredAtMs: nowMs,
    action: event.action,
    organization,
    actor: { id: event.by, type: "operator" },
    targets: event.targets,
    ...(event.metadata ? { metadata: event.metadata } : {}),
    method: "POST",
    route: event.route,
    status: 200,
    outcome: "success",
    assurance: "durable",
    gateway: { isolateId: "worker", policyVersion: "worker" },
    sequence: 0,
  };
}

function log(name: string, event: OperatorEvent, reason: string): void {
  console.warn(JSON.stringify({ severity_text: "WARN", "event.name": name, action: event.action, reason }));
}
