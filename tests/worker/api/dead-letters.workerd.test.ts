/** Listing, filtering, grouping and paging; and each wrong use of these routes. */
import { beforeAll, describe, expect, it } from "vitest";
import { runInDurableObject } from "cloudflare:test";
import { parkDeadLetters } from "../../../worker/dead-letters/client.ts";
import { call, get, post, deadLetterObject, workerEnv } from "../support/api.workerd.ts";
import { eventId, letter } from "../support/letters.ts";

/** Number → the entry's `parked_at`, set by hand: one minute apart. */
const parkedAt = (number: number) => Date.UTC(2026, 10, 2) + number * 60_000;

beforeAll(async () => {
  await deadLetterObject().park([
    letter(
      1,
      { class: "rejected", wrote: "no", reason: "http_400 /targets", status: 400 },
      { action: "user.created", organization: "org_a" },
    ),
    letter(
      2,
      { class: "rejected", wrote: "no", reason: "http_422", status: 422 },
      { action: "user.deleted", organization: "org_b", route: "/v1/users/:id" },
    ),
    letter(3, {}, { action: "user.created", organization: "org_a" }),
    letter(4, { class: "credential", wrote: "no", reason: "http_401", status: 401 }, { organization: "org_b" }),
    {
      eventId: "unreadable-5",
      class: "unreadable",
      wrote: "no",
      reason: "unreadable",
      attempts: 1,
      body: "e30=",
      source: "worker",
    },
    letter(6, {}, { organization: 'O\'Brien "%" -- ;' }),
  ]);
  await runInDurableObject(deadLetterObject(), (_, { storage }) => {
    for (let number = 1; number <= 6; number++) {
      const id = number === 5 ? "unreadable-5" : eventId(number);
      storage.sql.exec("UPDATE dead_letters SET parked_at = ? WHERE event_id = ?", parkedAt(number), id);
    }
  });
  await post(`/api/dead-letters/${eventId(6)}/discard`, { reason: "gone" });
});

const range = (count: number) => Array.from({ length: count }, (_, index) => index);
const numbersOf = (letters: { event_id: string }[]) =>
  letters.map(({ event_id }) => [1, 2, 3, 4, 6].find((number) => eventId(number) === event_id) ?? 5);

describe("a filter", () => {
  it.each([
    ["", [5, 4, 3, 2, 1]],
    ["class=rejected", [2, 1]],
    ["class=rejected,credential", [4, 2, 1]],
    ["action=user.deleted", [2]],
    ["organization=org_a", [3, 1]],
    ["organization=org_b&class=credential", [4]],
    ["route=/v1/users/:id", [2]],
    ["status=400", [1]],
    ["status=none", [5]],
    ["reason=http_422", [2]],
    [`since=${new Date(parkedAt(3)).toISOString()}`, [5, 4, 3]],
    [`until=${new Date(parkedAt(3)).toISOString()}`, [2, 1]],
    [`since=2026-11-02T01:02:00%2B01:00&until=2026-11-02T01:04:00%2B01:00`, [3, 2]],
    ["state=discarded", [6]],
    ["state=open,discarded", [6, 5, 4, 3, 2, 1]],
    ["state=open,replaying,delivered,discarded", [6, 5, 4, 3, 2, 1]],
    [`state=discarded&organization=${encodeURIComponent('O\'Brien "%" -- ;')}`, [6]],
    ["organization=' OR 1=1 --", []],
  ])("%s finds %j", async (query, expected) => {
    const { status, json } = await get(`/api/dead-letters?${query}`);
    expect({ status, numbers: numbersOf(json.dead_letters) }).toEqual({ status: 200, numbers: expected });
  });
});

describe("paging", () => {
  it("reaches every entry once, also of equal times", async () => {
    await runInDurableObject(deadLetterObject(), (_, { storage }) =>
      storage.sql.exec(
        "UPDATE dead_letters SET parked_at = 5 WHERE event_id IN (?, ?, ?)",
        eventId(1),
        eventId(2),
        eventId(3),
      ),
    );
    const seen: number[] = [];
    let cursor = "";
    for (let pages = 0; pages < 10; pages++) {
      const { json } = await get(`/api/dead-letters?limit=2${cursor && `&cursor=${cursor}`}`);
      seen.push(...numbersOf(json.dead_letters));
      if (!json.cursor) break;
      cursor = json.cursor;
    }
    expect(seen).toEqual([5, 4, 3, 2, 1]);
  });

  it("gives no cursor when the page holds the last entry", async () => {
    const { json } = await get("/api/dead-letters?limit=5");
    expect(json.dead_letters).toHaveLength(5);
    expect(json).not.toHaveProperty("cursor");
  });
});

it("ends a page of whole entries before it outgrows what an RPC carries", async () => {
  const body = "A".repeat(680_000);
  const large = range(20).map((number) => ({
    eventId: `unreadable-large-${number}`,
    class: "unreadable" as const,
    wrote: "no" as const,
    reason: "large",
    attempts: 1,
    body,
    source: "sweep" as const,
  }));
  await parkDeadLetters(workerEnv, large, ["1-0"]);
  const seen = new Set<string>();
  let pages = 0;
  for (let cursor = ""; pages < 10; pages++) {
    const { status, json } = await get(
      `/api/dead-letters?reason=large&whole=true&reveal=true&limit=100${cursor && `&cursor=${cursor}`}`,
    );
    expect(status).toBe(200);
    for (const { event_id } of json.dead_letters) seen.add(event_id);
    cursor = json.cursor;
    if (!cursor) break;
  }
  expect(seen.size).toBe(20);
  expect(pages).toBeGreaterThan(0);
  expect(await deadLetterObject().unsighted(["1-0", "2-0"])).toEqual(["2-0"]);
  await runInDurableObject(
    deadLetterObject(),
    (_, { storage }) => void storage.sql.exec("DELETE FROM dead_letters WHERE reason = 'large'"),
  );
});

it("counts by group, largest first, within the filter", async () => {
  const { json } = await get("/api/dead-letters?group_by=organization");
  expect(json).toMatchObject({
    group_by: "organization",
    total: 5,
    groups: [
      { value: "org_a", count: 2 },
      { value: "org_b", count: 2 },
      { value: null, count: 1 },
    ],
  });
  expect((await get("/api/dead-letters?group_by=class&organization=org_b")).json).toMatchObject({
    total: 2,
    groups: [{ value: "credential" }, { value: "rejected" }],
  });
});

it("shows whole entries for an export, revealed only when asked", async () => {
  const { json } = await get("/api/dead-letters?whole=true&class=rejected&limit=1");
  expect(json.dead_letters[0]).toMatchObject({ record: { action: "user.deleted" }, history: [] });
});

describe("wrong use is refused", () => {
  it.each([
    ["clas=rejected", '"clas" is not a parameter of this route'],
    ["class=wrong", '"class" must be one or more of rejected, exhausted, credential, unreadable'],
    ["class=", '"class" must be one or more of'],
    ["class=rejected&class=exhausted", '"class" must be given at most once'],
    ["state=gone", '"state" must be one or more of'],
    ["status=abc", '"status" must be a number or "none"'],
    ["status=", '"status" must be a number or "none"'],
    ["since=yesterday", '"since" must be an ISO 8601 time'],
    ["since=2026-11-23", '"since" must be an ISO 8601 time'],
    ["until=1700000000", '"until" must be an ISO 8601 time'],
    ["since=2026-11-02T00:00:00Z&until=2026-11-01T00:00:00Z", '"since" must be before "until"'],
    ["limit=0", '"limit" must be a whole number from 1 to 500'],
    ["limit=", '"limit" must be a whole number'],
    ["limit=501", '"limit" must be a whole number'],
    ["limit=ten", '"limit" must be a whole number'],
    ["limit=1.5", '"limit" must be a whole number'],
    ["limit=101&whole=true", '"limit" must be at most 100 with "whole"'],
    ["cursor=", '"cursor" must be one that this route returned'],
    ["cursor=abc", '"cursor" must be one that this route returned'],
    ["cursor=WzIsMSwiYSJd", '"cursor" must be one that this route returned'],
    ["cursor=WzEsIngiLCJhIl0", '"cursor" must be one that this route returned'],
    ["group_by=actor", '"group_by" must be one of'],
    ["group_by=class&whole=true", '"group_by" cannot be combined with'],
    ["whole=yes", '"whole" must be "true" or "false"'],
    ["reveal=true", '"reveal" needs "whole"'],
  ])("%s", async (query, detail) => {
    const { status, json } = await get(`/api/dead-letters?${query}`);
    expect({ status, code: json.code }).toEqual({ status: 400, code: "invalid_request" });
    expect(json.detail).toContain(detail);
  });

  it.each([
    ["GET", `/api/dead-letters/${eventId(99)}`, undefined, 404, "not_found"],
    ["GET", "/api/dead-letters/a%20b", undefined, 404, "not_found"],
    ["GET", `/api/dead-letters/${eventId(1)}?reveal=1`, undefined, 400, "invalid_request"],
    ["GET", `/api/dead-letters/${eventId(1)}?show=all`, undefined, 400, "invalid_request"],
    ["POST", `/api/dead-letters/${eventId(99)}/discard`, { reason: "x" }, 404, "not_found"],
    ["POST", `/api/dead-letters/${eventId(1)}/discard`, {}, 400, "invalid_request"],
    ["POST", `/api/dead-letters/${eventId(1)}/discard`, { reason: "  " }, 400, "invalid_request"],
    ["POST", `/api/dead-letters/${eventId(1)}/discard`, { reason: "x".repeat(501) }, 400, "invalid_request"],
    ["POST", `/api/dead-letters/${eventId(1)}/discard`, { reason: "x", force: true }, 400, "invalid_request"],
    ["POST", `/api/dead-letters/${eventId(1)}/discard`, "not json", 400, "invalid_request"],
    ["POST", `/api/dead-letters/${eventId(1)}/discard`, "x".repeat(5_000_001), 413, "payload_too_large"],
    ["POST", "/api/dead-letters", {}, 405, "method_not_allowed"],
  ])("%s %s", async (method, path, body, status, code) => {
    const answer = await call(method, path, body);
    expect({ status: answer.status, code: answer.json.code }).toEqual({ status, code });
  });

  it.each([
    [{ authorization: "" }, ""],
    [{ authorization: "Bearer wrong-token-000000" }, ""],
    [{ authorization: "Basic dGVzdA==" }, ""],
    [{}, "?token=test-admin-token-0000001"],
  ])("%j%s is not let in", async (headers, query) => {
    const answer = await call("GET", `/api/dead-letters${query}`, undefined, headers);
    expect({ status: answer.status, code: answer.json.code }).toEqual({ status: 401, code: "unauthorized" });
  });
});
