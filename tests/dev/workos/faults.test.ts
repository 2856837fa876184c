import { expect, test } from "vitest";
import { ANSWERS, type AnswerName } from "../../../dev/workos/answers.ts";
import type { Fault } from "../../../dev/workos/server.ts";
import { call, eventBody, postEvent, started, storedIds } from "./harness.ts";

const names = Object.keys(ANSWERS) as AnswerName[];

test.each(names)("the named answer %s goes out as it is and stores nothing", async (name) => {
  const standIn = await started();
  standIn.faults.add({ answer: name });
  const got = await postEvent(standIn, eventBody("e1"));
  expect([got.status, got.text]).toEqual([ANSWERS[name].status, ANSWERS[name].body]);
  expect(got.headers.get("content-type")).toBe(
    (ANSWERS[name].headers as Record<string, string>)["content-type"] ?? null,
  );
  expect(standIn.events()).toEqual([]);
  expect(standIn.requests()[0]).toMatchObject({ outcome: "fault", status: ANSWERS[name].status });
});

const shapes: [name: string, fault: Fault, status: number, text: string][] = [
  ["a status alone", { status: 507 }, 507, '{"message":"Scripted answer 507."}'],
  ["a body as text", { status: 500, body: "<html>" }, 500, "<html>"],
  ["a body as JSON", { status: 400, body: { message: ["a", "b"] } }, 400, '{"message":["a","b"]}'],
  [
    "a named answer with another status",
    { answer: "bad_gateway_html", status: 504 },
    504,
    ANSWERS.bad_gateway_html.body,
  ],
  ["html200", { html200: true }, 200, ANSWERS.html_200.body],
  ["successFalse", { successFalse: true }, 200, '{"success":false}'],
];

test.each(shapes)("%s is answered", async (_name, fault, status, text) => {
  const standIn = await started();
  standIn.faults.add(fault);
  const got = await postEvent(standIn, eventBody("e1"));
  expect([got.status, got.text, standIn.events().length]).toEqual([status, text, 0]);
});

const retryAfter: [name: string, fault: Fault, header: string][] = [
  ["seconds", { answer: "rate_limited_retry_after" }, "2"],
  [
    "a date",
    { answer: "rate_limited", headers: { "retry-after": "Tue, 24 Nov 2026 10:00:00 GMT" } },
    "Tue, 24 Nov 2026 10:00:00 GMT",
  ],
];

test.each(retryAfter)("Retry-After can be %s", async (_name, fault, header) => {
  const standIn = await started();
  standIn.faults.add(fault);
  const got = await postEvent(standIn, eventBody("e1"));
  expect([got.status, got.headers.get("retry-after")]).toEqual([429, header]);
});

test("a fault hits as often as it says and then the real answer is back", async () => {
  const standIn = await started();
  standIn.faults.add({ status: 500, times: 2 });
  const statuses = [];
  for (let i = 0; i < 3; i++) statuses.push((await postEvent(standIn, eventBody("e1"), { key: "e1" })).status);
  expect(statuses).toEqual([500, 500, 200]);
  expect(standIn.faults.list()).toEqual([]);
});

test("a fault without times hits until the faults are cleared", async () => {
  const standIn = await started();
  standIn.faults.add({ status: 503 });
  for (let i = 0; i < 5; i++) expect((await postEvent(standIn, eventBody("e1"))).status).toBe(503);
  standIn.faults.clear();
  expect((await postEvent(standIn, eventBody("e1"))).status).toBe(200);
});

test("the oldest matching fault wins, and the next one follows it", async () => {
  const standIn = await started();
  standIn.faults.add({ status: 500, times: 1 });
  standIn.faults.add({ status: 503, times: 1 });
  const statuses = [];
  for (let i = 0; i < 3; i++) statuses.push((await postEvent(standIn, eventBody("e1"))).status);
  expect(statuses).toEqual([500, 503, 200]);
});

const matches: { name: string; match: Fault["match"]; key?: string; hit: boolean }[] = [
  { name: "its event id", match: { event_id: "e1" }, hit: true },
  { name: "another event id", match: { event_id: "e2" }, hit: false },
  { name: "its key", match: { event_id: "k1" }, key: "k1", hit: true },
  { name: "its key without the replay suffix", match: { event_id: "k1" }, key: "k1:r1", hit: true },
  { name: "a key that only begins alike", match: { event_id: "k1" }, key: "k12", hit: false },
  { name: "its action", match: { action: "team.member_added" }, hit: true },
  { name: "another action", match: { action: "team.member" }, hit: false },
  { name: "its organization", match: { organization_id: "org_1" }, hit: true },
  { name: "its path", match: { path: "/audit_logs/events" }, hit: true },
  { name: "another path", match: { path: "/audit_logs/actions" }, hit: false },
  { name: "its method in small letters", match: { method: "post" }, hit: true },
  { name: "another method", match: { method: "GET" }, hit: false },
  { name: "one condition of two", match: { action: "team.member_added", organization_id: "org_2" }, hit: false },
];

test.each(matches)("a fault for $name: hit $hit", async ({ match, key, hit }) => {
  const standIn = await started();
  standIn.faults.add({ match, status: 500 });
  expect((await postEvent(standIn, eventBody("e1"), { key })).status).toBe(hit ? 500 : 200);
});

test("nth counts only the requests that meet the other conditions", async () => {
  const standIn = await started();
  standIn.faults.add({ match: { nth: 2, organization_id: "org_2" }, status: 500 });
  const statuses = [];
  for (const organization of ["org_2", "org_1", "org_2", "org_2"]) {
    statuses.push((await postEvent(standIn, eventBody("e1", {}, organization))).status);
  }
  expect(statuses).toEqual([200, 200, 500, 200]);
});

const resets: [when: "before_commit" | "after_commit", stored: string[]][] = [
  ["before_commit", []],
  ["after_commit", ["e1"]],
];

test.each(resets)("a reset %s cuts the socket and the store holds %j", async (reset, stored) => {
  const standIn = await started();
  standIn.faults.add({ reset, times: 1 });
  const failure = await postEvent(standIn, eventBody("e1"), { key: "e1" }).catch((error: unknown) => error);
  expect(failure).toMatchObject({ cause: { code: "ECONNRESET" } });
  expect(storedIds(standIn)).toEqual(stored);
  expect(standIn.requests()[0]).toMatchObject({ status: null });
  expect((await postEvent(standIn, eventBody("e1"), { key: "e1" })).status).toBe(200);
  expect(storedIds(standIn)).toEqual(["e1"]);
});

test("a 5xx after the commit leaves the event stored, and the retry gets the kept success", async () => {
  const standIn = await started();
  standIn.faults.add({ answer: "bad_gateway_html", commit: true, times: 1 });
  expect((await postEvent(standIn, eventBody("e1"), { key: "e1" })).status).toBe(502);
  expect(storedIds(standIn)).toEqual(["e1"]);
  expect((await postEvent(standIn, eventBody("e1"), { key: "e1" })).json).toEqual({ success: true });
  expect(standIn.requests().map((request) => request.outcome)).toEqual(["committed", "replayed"]);
});

const hangs: [name: string, fault: Fault, stored: string[]][] = [
  ["before the commit", { hang: true }, []],
  ["after the commit", { hang: true, commit: true }, ["e1"]],
];

test.each(hangs)("a hang %s never answers", async (_name, fault, stored) => {
  const standIn = await started();
  standIn.faults.add(fault);
  const caller = new AbortController();
  const answer = postEvent(standIn, eventBody("e1"), { signal: caller.signal });
  await expect.poll(() => standIn.requests()[0]?.outcome).toBe(stored.length > 0 ? "committed" : "fault");
  expect(storedIds(standIn)).toEqual(stored);
  caller.abort();
  await expect(answer).rejects.toThrow("aborted");
  expect(standIn.requests()[0]?.status).toBeNull();
});

test("a delayed request has its effect even when its caller has gone", async () => {
  const standIn = await started();
  standIn.faults.add({ delayMs: 1_000 });
  const caller = new AbortController();
  const answer = postEvent(standIn, eventBody("e1"), { signal: caller.signal });
  await expect.poll(() => standIn.requests()).toHaveLength(1);
  caller.abort();
  await expect(answer).rejects.toThrow("aborted");
  await expect.poll(() => storedIds(standIn)).toEqual(["e1"]);
});

test("a fault can hit the other endpoints, and a refusal there is not kept for events", async () => {
  const standIn = await started();
  standIn.faults.add({ match: { path: "/audit_logs/actions/a.b/schemas" }, answer: "validation_failed", times: 1 });
  const path = "/audit_logs/actions/a.b/schemas";
  expect((await call(standIn, path, { targets: [{ type: "team" }] }, { key: "k" })).status).toBe(422);
  expect((await call(standIn, path, { targets: [{ type: "team" }] }, { key: "k" })).status).toBe(201);
  expect((await postEvent(standIn, eventBody("e1", { action: "a.b" }), { key: "k" })).status).toBe(200);
});

test("stop ends hanging and delayed requests", async () => {
  const standIn = await started();
  standIn.faults.add({ match: { event_id: "e1" }, hang: true });
  standIn.faults.add({ match: { event_id: "e2" }, delayMs: 3_600_000 });
  const pending = ["e1", "e2"].map((id) => postEvent(standIn, eventBody(id)).catch((error: unknown) => error));
  await expect.poll(() => standIn.requests()).toHaveLength(2);
  await standIn.stop();
  for (const failure of await Promise.all(pending)) expect(failure).toBeInstanceOf(TypeError);
});
