import { describe, expect, it } from "vitest";
import { enrich, traceIdOf } from "../../worker/enrichment.ts";
import { recordOf } from "./support/records.ts";

const FULL = recordOf({
  id: "0199a0aa-0000-7000-8000-000000000001",
  occurredAtMs: Date.UTC(2026, 10, 24, 12, 0, 0, 123),
  durationMs: 42,
  metadata: { plan: "pro", seats: 5, trial: false, outcome: "custom keys never win over ours" },
  status: 403,
  outcome: "denied",
  statusSource: "before_sending_hooks",
  ip: "203.0.113.9",
  userAgent: "curl/8",
  geo: { country: "DE", city: "Berlin" },
  requestId: "req_1",
  traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
  assurance: "required",
  parentId: "0199a0aa-0000-7000-8000-000000000000",
  credential: { kind: "api_key", keyId: "key_1" },
  missing: ["$user.data.tenant", "$params.id"],
  truncated: ["metadata.note:00ff"],
  gateway: { isolateId: "iso1", policyVersion: "0.1.0", environment: "production", build: "b7" },
  sequence: 12,
  replay: { id: "rep_1", n: 2, mended: ["action", "organization"] },
});

describe("the event of a record", () => {
  it("carries everything that the record knows, under keys that WorkOS allows", () => {
    expect(enrich(FULL, { schemaVersion: 3 })).toEqual({
      organization_id: "org_01EHWNCE74X7JSDV0X3SZ3KJNY",
      event: {
        action: "user.signed_in",
        occurred_at: "2026-11-24T12:00:00.123Z",
        version: 3,
        actor: { id: "user_1", type: "user", name: "Ada" },
        targets: [{ id: "team_1", type: "team" }],
        context: { location: "203.0.113.9", user_agent: "curl/8" },
        metadata: {
          plan: "pro",
          seats: 5,
          trial: false,
          event_id: "0199a0aa-0000-7000-8000-000000000001",
          outcome: "denied",
          http_method: "POST",
          http_route: "/sessions",
          http_status: 403,
          status_source: "before_sending_hooks",
          duration_ms: 42,
          request_id: "req_1",
          trace_id: "0af7651916cd43dd8448eb211c80319c",
          assurance: "required",
          parent_event_id: "0199a0aa-0000-7000-8000-000000000000",
          credential_kind: "api_key",
          credential_key_id: "key_1",
          geo: "DE, Berlin",
          missing: "$user.data.tenant, $params.id",
          truncated: "metadata.note:00ff",
          gateway_environment: "production",
          gateway_build: "b7",
          policy_version: "0.1.0",
          isolate_id: "iso1",
          sequence: 12,
          record_v: 1,
          mended: "action, organization",
          replay_id: "rep_1",
        },
      },
    });
  });

  it.each([
    ["203.0.113.9", "203.0.113.9"],
    ["2001:db8::1", "2001:db8::1"],
    ["ps_k1_AAAAAAAAAAAAAAAAAAAAAA", "ps_k1_AAAAAAAAAAAAAAAAAAAAAA"],
    ["<b>x</b>", "unknown"],
    ["ps_k1_<b>", "unknown"],
    ["[redacted]", "unknown"],
    ["", "unknown"],
  ])("names the location of %j as %j: only an address or its pseudonym is one", (ip, location) => {
    expect(enrich(recordOf({ ip }))?.event.context.location).toBe(location);
  });

  it("leaves out what the record does not know, and needs neither a client nor a target", () => {
    const event = enrich(recordOf({ targets: [] }))?.event;
    expect(event?.context).toEqual({ location: "unknown" });
    expect(event?.targets).toEqual([{ id: "/sessions", type: "route" }]);
    expect(event).not.toHaveProperty("version");
    expect(Object.values(event?.metadata ?? {})).not.toContain(undefined);
    for (const key of ["duration_ms", "trace_id", "geo", "missing", "truncated", "replay_id"]) {
      expect(event?.metadata).not.toHaveProperty(key);
    }
  });

  it("is the same bytes each time", () => {
    expect(JSON.stringify(enrich(FULL))).toBe(JSON.stringify(enrich(structuredClone(FULL))));
  });

  it("does not exist without an organization; one from outside goes before the record's", () => {
    const { organization: _, ...nowhere } = FULL;
    expect(enrich(nowhere)).toBeUndefined();
    expect(enrich(nowhere, { organization: "org_9" })?.organization_id).toBe("org_9");
    expect(enrich(FULL, { organization: "org_9" })?.organization_id).toBe("org_9");
  });

  it("takes names for those who have none, and keeps the others", () => {
    const nameOf = ({ id }: { id: string }) => `name of ${id}`;
    const event = enrich(recordOf({ targets: [{ id: "t1", type: "team" }] }), { nameOf })?.event;
    expect(event?.targets).toEqual([{ id: "t1", type: "team", name: "name of t1" }]);
    const anonymous = enrich(recordOf({ actor: { id: "u1", type: "user", name: "Own" } }), {})?.event;
    expect(anonymous?.actor.name).toBe("Own");
  });

  it("cuts a list that WorkOS would not take, visibly, by code points", () => {
    const missing = Array.from({ length: 100 }, () => "😀😀😀😀😀😀");
    const text = String(enrich(recordOf({ missing }))?.event.metadata["missing"]);
    expect(Array.from(text)).toHaveLength(500);
    expect(text.endsWith("…")).toBe(true);
    expect(text.isWellFormed()).toBe(true);
  });
});

it.each([
  ["00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "0af7651916cd43dd8448eb211c80319c"],
  ["cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra", "0af7651916cd43dd8448eb211c80319c"],
  ["00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01", undefined],
  ["garbage", undefined],
  [undefined, undefined],
])("the trace id of %s", (traceparent, expected) => {
  expect(traceIdOf(traceparent)).toBe(expected);
});
