/**
 * The lines of the worker's log: their names, severities and attributes. Only the types reach the worker; docs/operations.md
 * contains both tables. Names without `audit.` come from OpenTelemetry's semantic conventions or are fields of its log record.
 * https://opentelemetry.io/docs/specs/semconv/registry/attributes/
 */

/** `severity_text` of a line. https://opentelemetry.io/docs/specs/otel/logs/data-model/#field-severitytext */
export type Severity = "INFO" | "WARN" | "ERROR";

/** What each attribute says. */
export const LOG_ATTRIBUTES = {
  trace_id: "Trace id of the request's `traceparent`.",
  span_id: "Parent id of the request's `traceparent`.",
  "error.type": "Why it failed: a fixed code, `http_<status>`, or the name of the exception.",
  "http.route": "Route of the worker, or `admin` for all routes of operators together.",
  "http.response.status_code": "What WorkOS answered to the attempt.",
  "messaging.message.id": "Id of the message at QStash.",
  "messaging.system.name": "`qstash`.",
  "user.name": "Name of the operator.",
  "audit.action": "Action of the event.",
  "audit.anchor_kind": "`event`, `time_stamp` or `webhook`.",
  "audit.assurance": "Assurance of the route.",
  "audit.attempt_duration_ms": "Time of the attempt.",
  "audit.attempt_number": "Which attempt it was, counted from one.",
  "audit.checkpoint_size": "Size of the checkpoint.",
  "audit.detail": "A sentence for people.",
  "audit.event_id": "Event id of the record.",
  "audit.idempotency_key": "Key of the attempt at WorkOS.",
  "audit.incident": "Name of the incident.",
  "audit.occurred_at": "When the operator acted.",
  "audit.organization_id": "Organization of the record.",
  "audit.replay_id": "Replay that sent the record again.",
  "audit.result": "`delivered`, `retry`, `dead_letter` or `skipped`.",
  "audit.route": "Route of the API that the record is about.",
  "audit.since": "When the incident started.",
  "audit.skip_reason": "Why the record was not sent: `delivered`, `discarded`, `superseded` or `repeated`.",
  "audit.stage": "`outcome`, `intent` or `watchdog`.",
  "audit.targets": "What the operator acted on, each as its type and id.",
  "audit.task": "What failed outside of a request: `cron`, `seal`, `monitor_alarm` or `replay_<step>`.",
  "audit.until": "When the incident ended; absent while it is open.",
  "audit.variables": "Names of the variables.",
  "audit.wrote": "Whether WorkOS may hold the event: `yes`, `no` or `maybe`.",
} as const;

interface LogEvent {
  /** When the line is written. */
  readonly about: string;
  readonly severities: readonly Severity[];
  readonly attributes: readonly (keyof typeof LOG_ATTRIBUTES)[];
}

/** Each line by its `event.name`. An attribute is absent if there is nothing to say. */
export const LOG_EVENTS = {
  "audit.attempt": {
    about: "A delivery has processed one record.",
    severities: ["INFO", "WARN", "ERROR"],
    attributes: [
      "audit.event_id",
      "audit.action",
      "audit.result",
      "audit.skip_reason",
      "error.type",
      "audit.stage",
      "audit.assurance",
      "audit.organization_id",
      "audit.route",
      "messaging.system.name",
      "messaging.message.id",
      "audit.attempt_number",
      "audit.idempotency_key",
      "audit.wrote",
      "http.response.status_code",
      "audit.attempt_duration_ms",
      "audit.replay_id",
      "trace_id",
      "span_id",
    ],
  },
  "audit.incident": {
    about: "An [incident](#alerts) has started or ended.",
    severities: ["WARN"],
    attributes: ["audit.incident", "audit.detail", "audit.since", "audit.until"],
  },
  "audit.refused": {
    about: "A call was refused; one line a minute at most for each route and reason.",
    severities: ["WARN"],
    attributes: ["http.route", "error.type"],
  },
  "audit.not_configured": {
    about: "Variables are missing or malformed.",
    severities: ["ERROR"],
    attributes: ["audit.variables"],
  },
  "audit.failure": {
    about: "A request or a task has failed unexpectedly. It is tried again.",
    severities: ["ERROR"],
    attributes: ["http.route", "audit.task", "error.type"],
  },
  "audit.operator_action": {
    about: "An operator has done something, or has seen hidden values.",
    severities: ["INFO"],
    attributes: ["http.route", "audit.action", "user.name", "audit.targets"],
  },
  "audit.operator_event_skipped": {
    about: 'There is no event about an operator, because "AUDIT_ORGANIZATION_ID" is not set; once per isolate.',
    severities: ["WARN"],
    attributes: ["audit.action"],
  },
  "audit.operator_event_lost": {
    about: "There is no event about an operator, because the outbox did not answer.",
    severities: ["WARN"],
    attributes: ["audit.action"],
  },
  "audit.operator_event_refused": {
    about: "WorkOS did not accept an event about an operator. The line is all that is left of it.",
    severities: ["ERROR"],
    attributes: ["audit.event_id", "error.type", "audit.action", "user.name", "audit.occurred_at", "audit.targets"],
  },
  "audit.replay_message_refused": {
    about: "QStash refused a message of a replay.",
    severities: ["WARN"],
    attributes: ["audit.event_id", "audit.detail"],
  },
  "audit.anchor_failed": {
    about: "An anchor did not accept a checkpoint. It is tried again.",
    severities: ["WARN"],
    attributes: ["audit.anchor_kind", "audit.checkpoint_size", "error.type"],
  },
} as const satisfies Readonly<Record<string, LogEvent>>;
