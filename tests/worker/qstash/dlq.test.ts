/** QStash's own dead-letter queue over HTTP: pages, refusals, and removal that can never hit more than it names. */
import { describe, expect, it } from "vitest";
import { comeBackAt, listDlq, removeFromDlq } from "../../../worker/qstash/dlq.ts";

const SETTINGS = { QSTASH_URL: "https://qstash.example", QSTASH_TOKEN: "token" };
const NOW = Date.UTC(2026, 10, 1);

function answering(response: Response | Error) {
  const calls: { url: string; method: string; authorization: string | null }[] = [];
  const fetcher = (async (input: string, init?: RequestInit) => {
    calls.push({
      url: input,
      method: init?.method ?? "GET",
      authorization: new Headers(init?.headers).get("authorization"),
    });
    if (response instanceof Error) throw response;
    return response;
  }) as unknown as typeof fetch;
  return { fetcher, calls };
}

const json = (body: unknown, status = 200, headers: Record<string, string> = {}) =>
  new Response(JSON.stringify(body), { status, headers });

describe("a page", () => {
  it("is asked for by label, 50 at a time, from the cursor on", async () => {
    const { fetcher, calls } = answering(json({ messages: [{ dlqId: "1-0", url: "u" }, { odd: true }], cursor: "c2" }));
    const page = await listDlq(SETTINGS, fetcher, "c1", NOW);
    expect(page).toMatchObject({ kind: "page", entries: [{ dlqId: "1-0" }], cursor: "c2" });
    expect(calls).toEqual([
      {
        url: "https://qstash.example/v2/dlq?count=50&label=audit-forwarder&cursor=c1",
        method: "GET",
        authorization: "Bearer token",
      },
    ]);
  });

  it.each([[null], ["?"], [true], [[]], [{}]])(
    "loses no entry over a field that it only describes it with: %j",
    async (odd) => {
      const fields = ["messageId", "responseStatus", "responseBody", "createdAt", "maxRetries", "bodyBase64"];
      const entry = { dlqId: "1-0", url: "u", body: "b", ...Object.fromEntries(fields.map((name) => [name, odd])) };
      const page = await listDlq(SETTINGS, answering(json({ messages: [entry] })).fetcher, undefined, NOW);
      expect(page).toMatchObject({ kind: "page", entries: [{ dlqId: "1-0", url: "u", body: "b" }] });
    },
  );

  it("is the last one without a cursor, or with an empty one", async () => {
    for (const body of [{ messages: [] }, { messages: [], cursor: "" }, { messages: null, cursor: null }]) {
      expect(await listDlq(SETTINGS, answering(json(body)).fetcher, undefined, NOW)).toEqual({
        kind: "page",
        entries: [],
        cursor: undefined,
      });
    }
  });

  it.each([
    ["a 500", json({}, 500), { kind: "failed", status: 500 }],
    ["a page of HTML", new Response("<html>"), { kind: "failed", status: undefined }],
    ["another shape", json([]), { kind: "failed", status: undefined }],
    ["a network error", new Error("reset"), { kind: "failed", status: undefined }],
    ["a 429", json({}, 429, { "burst-ratelimit-reset": "3" }), { kind: "rate_limited", untilMs: NOW + 3_000 }],
  ])("answers %s without throwing", async (_, response, expected) => {
    expect(await listDlq(SETTINGS, answering(response).fetcher, undefined, NOW)).toEqual(expected);
  });
});

describe("the end of a rate limit", () => {
  it.each<[Record<string, string>, number]>([
    [{ "burst-ratelimit-reset": "2" }, 2_000],
    [{ "burst-ratelimit-reset": String(NOW / 1000 + 7) }, 7_000],
    [{ "burst-ratelimit-reset": String(NOW + 8_000) }, 8_000],
    [{ "burst-ratelimit-reset": String(NOW / 1000 - 7) }, 0],
    [{ "ratelimit-reset": "5" }, 5_000],
    [{ "retry-after": "4" }, 4_000],
    [{ "burst-ratelimit-reset": "1", "retry-after": "9" }, 1_000],
    [{ "burst-ratelimit-reset": "999999" }, 3_600_000],
    [{ "burst-ratelimit-reset": "soon" }, 60_000],
    [{ "burst-ratelimit-reset": "-5" }, 60_000],
    [{}, 60_000],
  ])("%j is %d ms away", (headers, waitMs) => {
    expect(comeBackAt(new Headers(headers), NOW) - NOW).toBe(waitMs);
  });
});

describe("a removal", () => {
  it("names each id and says true once QStash has confirmed", async () => {
    const { fetcher, calls } = answering(json({ deleted: 2 }));
    expect(await removeFromDlq(SETTINGS, fetcher, ["1-0", "2&all=1"])).toBe(true);
    expect(calls).toMatchObject([
      { url: "https://qstash.example/v2/dlq?dlqIds=1-0&dlqIds=2%26all%3D1", method: "DELETE" },
    ]);
  });

  it("asks nothing without ids, because that would empty the queue", async () => {
    const { fetcher, calls } = answering(json({ deleted: 999 }));
    expect(await removeFromDlq(SETTINGS, fetcher, [])).toBe(true);
    expect(calls).toEqual([]);
  });

  it.each([
    ["what is gone already", json({}, 404), true],
    ["a 429", json({}, 429), false],
    ["a 500", json({}, 500), false],
    ["a network error", new Error("reset"), false],
  ])("judges %s", async (_, response, expected) => {
    expect(await removeFromDlq(SETTINGS, answering(response).fetcher, ["1-0"])).toBe(expected);
  });
});
