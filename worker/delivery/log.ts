/** One wide line for each attempt of each record, with OpenTelemetry's field names; never data of the event. */
import { traceIdOf } from "../enrichment.ts";
import type { RecordEvent } from "./ports.ts";

/** Severity of a record's result. https://opentelemetry.io/docs/specs/otel/logs/data-model/ */
function severityOf(kind: RecordEvent["result"]["kind"]): "INFO" | "WARN" | "ERROR" {
  if (kind === "dead_letter") return "ERROR";
  return kind === "retry" ? "WARN" : "INFO";
}

/** The line as an object. */
function recordLine({ record, result, attempt }: RecordEvent, messageId: string | undefined) {
  const traceId = traceIdOf(record.traceparent);
  return {
    "event.name": "audit.attempt",
    severity_text: severityOf(result.kind),
    "audit.event_id": record.id,
    "audit.action": record.action,
    "audit.result": result.kind,
    "error.type": "reason" in result ? result.reason : undefined,
    "audit.stage": record.stage,
    "audit.assurance": record.assurance,
    "audit.organization_id": record.organization,
    "http.route": record.route,
    "messaging.system": "qstash",
    "messaging.message.id": messageId,
    "audit.attempt": attempt?.number,
    "audit.idempotency_key": attempt?.key,
    "audit.wrote": attempt?.wrote,
    "http.response.status_code": attempt?.status,
    duration_ms: attempt?.durationMs,
    "audit.replay_id": record.replay?.id,
    trace_id: traceId,
    span_id: traceId && record.traceparent?.slice(36, 52),
  };
}

/** Writes the line; an absent field is left out by JSON. */
export function logRecord(event: RecordEvent, messageId: string | undefined): void {
  console.log(JSON.stringify(recordLine(event, messageId)));
}
