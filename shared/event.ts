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
 * Metadata that the audit forwarder adds to each event, with its type in a WorkOS schema. It replaces custom metadata with the same
 * key.
 */
export const EVENT_METADATA = {
  /** The identity of the record, minted at the gateway; the same in WorkOS, the ledger, the dead letters and the logs. A late outcome ends in `:outcome`. */
  event_id: "string",
  /** On a late outcome: the `event_id` of the event that was sent before the outcome was known. */
  corrects: "string",
  /** `success`, `failure`, `denied` (401 and 403) or `unknown`. */
  outcome: "string",
  /** The request's method. */
  http_method: "string",
  /** The route's pattern, such as `/items/{id}`; never the path with its values. */
  http_route: "string",
  /** The status that the client got, or the one that `status_source` names. */
  http_status: "number",
  /** `before_sending_hooks`: a later hook may have changed the status that the client got. */
  status_source: "string",
  /** Gateway time from the policy to the outcome. */
  duration_ms: "number",
  /** The gateway's request id. A client can choose it, so it identifies nothing. */
  request_id: "string",
  /** The trace id of the W3C `traceparent`. */
  trace_id: "string",
  /** The route's assurance. */
  assurance: "string",
  /** The event id of the request that called this route by `invokeRoute`. */
  parent_event_id: "string",
  /** How the caller authenticated, such as `api_key`. Never the credential itself. */
  credential_kind: "string",
  /** The id of the key, if the authentication policy provides it. */
  credential_key_id: "string",
  /** Country, region and city, if the platform knows them. */
  geo: "string",
  /** Refused requests of a caller without a user that the event counts: same route, address and minute. */
  request_count: "number",
  /** Selectors that did not resolve. */
  missing: "string",
  /** Fields that were cut to a limit, some with a SHA-256 of the whole value. */
  truncated: "string",
  /** The gateway's environment. */
  gateway_environment: "string",
  /** The gateway's build. */
  gateway_build: "string",
  /** The version of the policy that made the record. */
  policy_version: "string",
  /** The gateway isolate that made the record. */
  isolate_id: "string",
  /** Numbers the records of one isolate from 1, so that gaps are visible. */
  sequence: "number",
  /** The version of the message that carried the record. */
  record_v: "number",
  /** Fields that an operator changed before a replay. */
  mended: "string",
  /** The replay that sent the event. */
  replay_id: "string",
  /** The operator who imported the record from another deployment. No gateway of this one has vouched for it. */
  imported_by: "string",
  /** When it was imported (ISO 8601). */
  imported_at: "string",
} as const satisfies Readonly<Record<string, "string" | "number" | "boolean">>;
