/** Makes an event from a record. Pure and deterministic: no clock, no randomness. */
import { METADATA_VALUE_MAX_CODE_POINTS } from "../shared/limits.ts";
import type { AuditEvent, EVENT_METADATA, EventBody } from "../shared/event.ts";
import { isIpAddress } from "../shared/ip-address.ts";
import { isPseudonym } from "../shared/pseudonym.ts";
import { cleanText } from "../shared/readable-text.ts";
import { MESSAGE_VERSION, type AuditRecord, type Metadata, type MetadataValue, type Party } from "../shared/record.ts";

/** What the event needs from outside the record. */
interface Enrichment {
  /** WorkOS organization id, if the record has none or holds an id of another system. */
  readonly organization?: string | undefined;
  /** Registered schema version of the action; WorkOS treats a missing version as the first one. */
  readonly schemaVersion?: number | undefined;
  /** The name of an actor or a target that has none. */
  readonly nameOf?: ((party: Party) => string | undefined) | undefined;
}

/** Returns the event; undefined if no organization is known. */
export function enrich(record: AuditRecord, extra: Enrichment = {}): EventBody | undefined {
  const organization = extra.organization ?? record.organization;
  if (!organization) return undefined;
  const named = (party: Party) => withName(party, extra.nameOf?.(party));
  const targets = record.targets.length > 0 ? record.targets : [{ id: record.route, type: "route" }];
  const event: AuditEvent = {
    action: record.action,
    occurred_at: new Date(record.occurredAtMs).toISOString(),
    ...(extra.schemaVersion === undefined ? {} : { version: extra.schemaVersion }),
    actor: named(record.actor),
    targets: targets.map(named),
    context: {
      location: locationOf(record.ip),
      ...(record.userAgent ? { user_agent: record.userAgent } : {}),
    },
    metadata: withOwn(record),
  };
  return { organization_id: organization, event };
}

/** Accepts an address or its pseudonym; any other string was chosen by someone else. */
function locationOf(ip = ""): string {
  return isIpAddress(ip) || isPseudonym(ip) ? ip : "unknown";
}

function withName(party: Party, name: string | undefined): Party {
  return name === undefined ? party : { ...party, name: limited(cleanText(name)) };
}

/** The record's metadata plus ours, with the keys of `EVENT_METADATA`; fields that the record does not hold are left out. */
function withOwn(record: AuditRecord): Metadata {
  const { gateway, geo } = record;
  const imported = record.replay?.imported;
  const known: Readonly<Record<string, MetadataValue | undefined>> = {
    event_id: record.id,
    corrects: record.corrects,
    outcome: record.outcome,
    http_method: record.method,
    http_route: record.route,
    http_status: record.status,
    status_source: record.statusSource,
    duration_ms: record.durationMs,
    request_id: record.requestId,
    trace_id: traceIdOf(record.traceparent),
    assurance: record.assurance,
    parent_event_id: record.parentId,
    credential_kind: record.credential?.kind,
    credential_key_id: record.credential?.keyId,
    geo: geo && [geo.country, geo.region, geo.city].filter(Boolean).join(", "),
    request_count: record.requestCount,
    missing: listed(record.missing),
    truncated: listed(record.truncated),
    gateway_environment: gateway.environment,
    gateway_build: gateway.build,
    policy_version: gateway.policyVersion,
    isolate_id: gateway.isolateId,
    sequence: record.sequence,
    record_v: MESSAGE_VERSION,
    mended: listed(record.replay?.mended),
    replay_id: record.replay?.id,
    imported_by: imported?.by,
    imported_at: imported && new Date(imported.atMs).toISOString(),
  } satisfies Record<keyof typeof EVENT_METADATA, unknown>;
  const metadata: Record<string, MetadataValue> = { ...record.metadata };
  for (const key in known) {
    const value = known[key];
    if (value !== undefined && value !== "") metadata[key] = value;
  }
  return metadata;
}

function listed(items: readonly string[] | undefined): string | undefined {
  return items && limited(items.join(", "));
}

/** WorkOS accepts no longer string; a value that we cut ends in an ellipsis. */
function limited(text: string): string {
  if (text.length <= METADATA_VALUE_MAX_CODE_POINTS) return text;
  const points = Array.from(text);
  if (points.length <= METADATA_VALUE_MAX_CODE_POINTS) return text;
  return `${points.slice(0, METADATA_VALUE_MAX_CODE_POINTS - 1).join("")}…`;
}

/** Returns the trace id of a W3C `traceparent`. https://www.w3.org/TR/trace-context/#traceparent-header-field-values */
export function traceIdOf(traceparent: string | undefined): string | undefined {
  return traceparent === undefined ? undefined : /^[0-9a-f]{2}-([0-9a-f]{32})-/.exec(traceparent)?.[1];
}
