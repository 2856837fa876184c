/** The published description judges our answers as well: the stand-in may not drift from it. */
import { expect, onTestFinished, test } from "vitest";
import { ANSWERS, type AnswerName } from "../../dev/workos/answers.ts";
import { startWorkos, type WorkosStandIn } from "../../dev/workos/server.ts";
import { responseSchema } from "../../cli/workos/spec.ts";

const SCHEMA = { targets: [{ type: "team", metadata: { type: "object", properties: { plan: { type: "string" } } } }] };
const RANGE = { range_start: "2026-01-01T00:00:00Z", range_end: "2026-12-31T00:00:00Z" };
const EVENT = {
  action: "a.b",
  occurred_at: "2026-11-24T10:00:00.000Z",
  actor: { id: "user_1", type: "user" },
  targets: [{ id: "team_1", type: "team" }],
  context: { location: "203.0.113.9" },
};

async function started(): Promise<WorkosStandIn> {
  const standIn = await startWorkos({ organizations: ["org_1"] });
  onTestFinished(() => standIn.stop());
  return standIn;
}

async function answerOf(
  standIn: WorkosStandIn,
  path: string,
  body?: unknown,
): Promise<{ status: number; json: unknown }> {
  const response = await fetch(standIn.url + path, {
    method: body === undefined ? "GET" : "POST",
    headers: { authorization: `Bearer ${standIn.apiKey}`, "content-type": "application/json" },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: await response.json() };
}

const EVENTS = "/audit_logs/events";
const ACTIONS = "/audit_logs/actions";
const SCHEMAS = "/audit_logs/actions/{actionName}/schemas";
const EXPORTS = "/audit_logs/exports";
const EXPORT = "/audit_logs/exports/{auditLogExportId}";
const ORGANIZATION = "/organizations/{id}";
const CONFIGURATION = "/organizations/{id}/audit_log_configuration";

const real: [template: string, status: number, path: string, body?: unknown][] = [
  [SCHEMAS, 201, "/audit_logs/actions/a.b/schemas", SCHEMA],
  [
    SCHEMAS,
    201,
    "/audit_logs/actions/a.b/schemas",
    { ...SCHEMA, actor: { metadata: {} }, metadata: { type: "object" } },
  ],
  [SCHEMAS, 422, "/audit_logs/actions/a.b/schemas", {}],
  [SCHEMAS, 200, "/audit_logs/actions/a.b/schemas?limit=1"],
  [SCHEMAS, 404, "/audit_logs/actions/none/schemas"],
  [SCHEMAS, 422, "/audit_logs/actions/a.b/schemas?limit=0"],
  [ACTIONS, 200, ACTIONS],
  [ACTIONS, 422, `${ACTIONS}?limit=0`],
  [EVENTS, 200, EVENTS, { organization_id: "org_1", event: EVENT }],
  [EVENTS, 400, EVENTS, { organization_id: "org_1", event: { ...EVENT, occurred_at: "x" } }],
  [EVENTS, 400, EVENTS, { organization_id: "org_1", event: { ...EVENT, targets: [] } }],
  [EVENTS, 400, EVENTS, { organization_id: "org_1", event: { ...EVENT, action: "unregistered" } }],
  [EVENTS, 400, EVENTS, { organization_id: "org_1", event: { ...EVENT, version: 9 } }],
  [EVENTS, 404, EVENTS, { organization_id: "org_2", event: EVENT }],
  [EVENTS, 422, EVENTS, { organization_id: "org_1" }],
  [EXPORTS, 201, EXPORTS, { organization_id: "org_1", ...RANGE }],
  [EXPORTS, 400, EXPORTS, { organization_id: "org_1" }],
  [EXPORTS, 400, EXPORTS, { organization_id: "org_2", ...RANGE }],
  [EXPORT, 200, "/audit_logs/exports/audit_log_export_00000000000000000000000001"],
  [EXPORT, 404, "/audit_logs/exports/none"],
  [ORGANIZATION, 200, "/organizations/org_1"],
  [ORGANIZATION, 404, "/organizations/org_2"],
  [CONFIGURATION, 200, "/organizations/org_1/audit_log_configuration"],
  [CONFIGURATION, 404, "/organizations/org_2/audit_log_configuration"],
];

test("each answer of each endpoint is a documented one", async () => {
  const standIn = await started();
  for (const [template, status, path, body] of real) {
    const got = await answerOf(standIn, path, body);
    expect([path, got.status]).toEqual([path, status]);
    const judge = responseSchema(template, body === undefined ? "get" : "post", status);
    expect(judge(got.json) ? [] : [path, judge.errors]).toEqual([]);
  }
});

test("a list answer that lacks a field of an action would be noticed", async () => {
  const standIn = await started();
  await answerOf(standIn, "/audit_logs/actions/a.b/schemas", SCHEMA);
  const { json } = (await answerOf(standIn, ACTIONS)) as { json: { data: { name?: string }[] } };
  delete json.data[0]?.name;
  expect(responseSchema(ACTIONS, "get", 200)(json)).toBe(false);
});

const documented: AnswerName[] = [
  "invalid_audit_log_event",
  "invalid_audit_log",
  "bad_request",
  "unreadable",
  "organization_not_found",
  "validation_failed",
  "rate_limited",
  "rate_limited_retry_after",
];

test.each(documented)("the scripted answer %s has the documented shape", (name) => {
  const judge = responseSchema(EVENTS, "post", ANSWERS[name].status);
  expect(judge(JSON.parse(ANSWERS[name].body)) ? [] : judge.errors).toEqual([]);
});

test("only what the description does not have is missing from that list", () => {
  const undocumented = (Object.keys(ANSWERS) as AnswerName[]).filter((name) => !documented.includes(name));
  for (const name of undocumented) {
    const { status, body } = ANSWERS[name];
    const judged = (): boolean => responseSchema(EVENTS, "post", status)(JSON.parse(body));
    const fits = ((): boolean => {
      try {
        return judged();
      } catch {
        return false;
      }
    })();
    expect([name, fits]).toEqual([name, name === "success_false"]);
  }
});
