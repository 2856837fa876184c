/** Logs one wide line for each attempt of each record; never data of the event. */
import { traceIdOf } from "../enrichment.ts";
import { log, type LogAttributes } from "../log.ts";
import type { Severity } from "../log-events.ts";
import type { RecordEvent } from "./ports.ts";

const SEVERITIES: Readonly<Record<RecordEvent["result"]["kind"], Severity>> = {
  delivered: "INFO",
  skipped: "INFO",
  retry: "WARN",
  dead_letter: "ERROR",
};

function attributesOf(
  { record, result, attempt }: RecordEvent,
  messageId: string | undefined,
): LogAttributes<"audit.attempt"> {
  const traceId = traceIdOf(record.traceparent);
  return {
    "audit.event_id": record.id,
    "audit.action": record.action,
    "audit.result": result.kind,
    "audit.skip_reason": result.kind === "skipped" ? result.reason : undefined,
    "error.type": result.kind === "retry" || result.kind === "dead_letter" ? result.reason : undefined,
    "audit.stage": record.stage,
    "audit.assurance": record.assurance,
    "audit.organization_id": record.organization,
    "audit.route": record.route,
    "messaging.system.name": "qstash",
    "messaging.message.id": messageId,
    "audit.attempt_number": attempt?.number,
    "audit.idempotency_key": attempt?.key,
    "audit.wrote": attempt?.wrote,
    "http.response.status_code": attempt?.status,
    "audit.attempt_duration_ms": attempt?.durationMs,
    "audit.replay_id": record.replay?.id,
    trace_id: traceId,
    span_id: traceId && record.traceparent?.slice(36, 52),
  };
}

/** Writes the line. */
export function logRecord(event: RecordEvent, messageId: string | undefined): void {
  log("audit.attempt", SEVERITIES[event.result.kind], attributesOf(event, messageId));
}
