/** An operator's action on the forwarder is itself an audit event, sent the same way as any other. */
import { mintEventId } from "../shared/event-id.ts";
import { WORKER_ISOLATE_ID, type OperatorActionName } from "../shared/operator-actions.ts";
import { deduplicationId } from "../shared/qstash-headers.ts";
import type { AuditRecord, Metadata, Party } from "../shared/record.ts";
import { encodeMessage } from "../shared/wire.ts";
import type { Env } from "./env.ts";
import type { RouteContext } from "./http/route.ts";
import { log } from "./log.ts";
import { monitor } from "./monitor/client.ts";
import { outboxOf } from "./outbox/client.ts";

/** What was done, and to what. */
export interface OperatorEvent {
  readonly action: OperatorActionName;
  /** Route of the request that did it. */
  readonly route: string;
  readonly target: Party;
  readonly metadata?: Metadata;
}

/** What is known about the request. */
type Acting = Pick<RouteContext, "settings" | "operator" | "receivedMs"> & {
  readonly env: Pick<Env, "OUTBOX" | "MONITOR" | "clock">;
};

let isSkipLogged = false;

/**
 * Reports an operator's action: one log line, an entry in the list of incidents, and an audit event that the outbox stores before
 * this resolves. There is no event if `AUDIT_OPERATOR_EVENTS` is `off` or no organization is set. Never throws, because the action
 * is already done.
 */
export async function recordOperatorEvent(acting: Acting, event: OperatorEvent): Promise<void> {
  const { env, operator, receivedMs } = acting;
  logAction(operator.name, event);
  const { action, target } = event;
  const done = { action, by: operator.name, targetType: target.type, targetId: target.id };
  await Promise.allSettled([
    sendEvent(acting, event),
    monitor(env).noteAction({ ...done, startedMs: receivedMs, endedMs: env.clock.now() }),
  ]);
}

/**
 * Does the same before an operator is shown hidden values. Throws if the outbox does not store the event, because every read of
 * hidden values must be on record.
 */
export async function recordLook(acting: Acting, event: OperatorEvent): Promise<void> {
  logAction(acting.operator.name, event);
  await sendEvent(acting, event);
}

async function sendEvent({ env, settings, operator }: Acting, event: OperatorEvent): Promise<void> {
  if (settings.AUDIT_OPERATOR_EVENTS === "off") return;
  const organization = settings.AUDIT_ORGANIZATION_ID;
  if (organization === undefined) {
    if (!isSkipLogged) log("audit.operator_event_skipped", "WARN", { "audit.action": event.action });
    isSkipLogged = true;
    return;
  }
  const nowMs = env.clock.now();
  const random = crypto.getRandomValues(new Uint8Array(9));
  const record = operatorRecord(event, operator.name, organization, nowMs, random);
  const id = deduplicationId([record]);
  const body = JSON.stringify(encodeMessage([record]));
  try {
    await outboxOf(env, id).add({ deduplicationId: id, body, delaySeconds: 0, receivedMs: nowMs });
  } catch (error) {
    log("audit.operator_event_lost", "WARN", { "audit.action": event.action });
    throw error;
  }
}

/** Makes the record of an operator's action. Pure; `random` must hold at least 9 bytes. */
export function operatorRecord(
  event: OperatorEvent,
  by: string,
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
    actor: { id: by, type: "operator" },
    targets: [event.target],
    ...(event.metadata ? { metadata: event.metadata } : {}),
    method: "POST",
    route: event.route,
    status: 200,
    outcome: "success",
    assurance: "durable",
    gateway: { isolateId: WORKER_ISOLATE_ID, policyVersion: "worker" },
    sequence: 0,
  };
}

/** It holds no data of any record, only the action and its target. */
function logAction(by: string, { action, target, route }: OperatorEvent): void {
  log("audit.operator_action", "INFO", {
    "http.route": route,
    "audit.action": action,
    "user.name": by,
    "audit.targets": [`${target.type} ${target.id}`],
  });
}
