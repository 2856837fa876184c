/** The event: what WorkOS stores. https://workos.com/docs/reference/audit-logs/create-event */
import type { Metadata, Party } from "./record.ts";

export interface AuditEvent {
  readonly action: string;
  readonly occurred_at: string;
  readonly version?: number;
  readonly actor: Party;
  readonly targets: readonly Party[];
  readonly context: { readonly location: string; readonly user_agent?: string };
  readonly metadata: Metadata;
}

/** The body of `POST /audit_logs/events`. */
export interface EventBody {
  readonly organization_id: string;
  readonly event: AuditEvent;
}

/**
 * Metadata that the forwarder itself puts on an event, with its type in a WorkOS schema. A key of ours wins over a custom one
 * of the same name.
 */
export const EVENT_METADATA = {
  event_id: "string",
  outcome: "string",
  http_method: "string",
  http_route: "string",
  http_status: "number",
  status_source: "string",
  duration_ms: "number",
  request_id: "string",
  trace_id: "string",
  assurance: "string",
  parent_event_id: "string",
  credential_kind: "string",
  credential_key_id: "string",
  geo: "string",
  missing: "string",
  truncated: "string",
  gateway_environment: "string",
  gateway_build: "string",
  policy_version: "string",
  isolate_id: "string",
  sequence: "number",
  record_v: "number",
  mended: "string",
  replay_id: "string",
} as const satisfies Readonly<Record<string, "string" | "number" | "boolean">>;

/** Custom metadata keys that fit beside ours within WorkOS's 50. */
export const CUSTOM_METADATA_MAX_KEYS = 50 - Object.keys(EVENT_METADATA).length;
