import { describe, expect, it } from "vitest";
import { answerFor, pausedAnswer } from "../../../worker/delivery/answer.ts";
import { pausedBy } from "../../../worker/monitor/paused-answer.ts";
import type { RecordResult } from "../../../worker/delivery/ports.ts";

const NOW_MS = 1_800_000_000_000;
const DELIVERED: RecordResult = { id: "a", kind: "delivered" };
const SKIPPED: RecordResult = { id: "b", kind: "skipped", reason: "superseded" };
const DEAD: RecordResult = { id: "c", kind: "dead_letter", class: "rejected", reason: "http_400" };
const RETRY: RecordResult = { id: "d", kind: "retry", reason: "http_503" };
const WAIT: RecordResult = { id: "e", kind: "retry", reason: "leased", retryAfterMs: 12_001 };
const PAUSE: RecordResult = { id: "f", kind: "retry", reason: "http_401", pause: true };

describe("the queue is told", () => {
  it.each([
    ["done, where all were delivered or need no delivery", [DELIVERED, SKIPPED], 200, null, null],
    ["never again, where all have ended and one is a dead letter", [DELIVERED, DEAD], 489, "true", null],
    ["again, while one needs it, whatever became of the others", [DELIVERED, DEAD, RETRY], 503, null, null],
    [
      "to wait as long as the longest wait that was asked for",
      [RETRY, WAIT, { ...WAIT, retryAfterMs: 500 }],
      503,
      null,
      "13",
    ],
    ["to come back soon where the credential was wrong", [PAUSE], 503, null, "30"],
  ] as const)("%s", async (_, results, status, nonRetryable, retryAfter) => {
    const answer = answerFor(results, { retried: 0 }, NOW_MS);
    expect(answer.status).toBe(status);
    expect(answer.headers.get("upstash-nonretryable-error")).toBe(nonRetryable);
    expect(answer.headers.get("retry-after")).toBe(retryAfter);
    const { records } = (await answer.json()) as { records: unknown[] };
    expect(records).toEqual(
      results.map((result) => ({
        id: result.id,
        result: result.kind,
        ...("reason" in result ? { reason: result.reason } : {}),
      })),
    );
  });

  it.each([
    [0, "30"],
    [1, "300"],
    [2, "71700"],
    [3, "30"],
  ])("during a pause, after %i retries, to wait %s seconds", (retried, expected) => {
    const answer = pausedAnswer("operator", { retried });
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe(expected);
  });
});

it.each([
  [5, 1, "300"],
  [5, 2, "1752"],
  [8, 2, "678"],
  [8, 7, "39974"],
])("of %i retries, after %i, the wait is that of their own plan", (retries, retried, expected) => {
  expect(answerFor([WAIT], { retried, retries }, NOW_MS).headers.get("retry-after")).toBe(expected);
});

describe("a wait that WorkOS asks for", () => {
  const HOUR_S = 3_600;
  const asked = (retried: number, beganAgoS = 0): number => {
    const day: RecordResult = { ...RETRY, retryAfterMs: 86_400_000, beganAtMs: NOW_MS - beganAgoS * 1_000 };
    return Number(answerFor([day], { retried }, NOW_MS).headers.get("retry-after"));
  };

  it("of a day is kept only as far as the other attempts still fit into 23 hours", () => {
    const first = asked(0);
    expect(first).toBeGreaterThan(2 * HOUR_S);
    const second = asked(1, first);
    const third = asked(2, first + second);
    expect(first + second + third).toBe(23 * HOUR_S);
  });

  it("counts from the first attempt that the ledger knows, and from the plan at least", () => {
    expect(asked(2)).toBe(23 * HOUR_S - 360);
    expect(asked(2, 3 * HOUR_S)).toBe(20 * HOUR_S);
  });
});

describe("an answer that is no success", () => {
  it.each([
    ["undelivered", answerFor([RETRY], { retried: 0 }, NOW_MS)],
    ["rejected", answerFor([DEAD], { retried: 0 }, NOW_MS)],
    ["paused", pausedAnswer("operator", { retried: 0 })],
  ])("is a problem document with the code %s", async (code, answer) => {
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    const { status } = answer;
    const text = expect.any(String) as unknown;
    expect(await answer.json()).toMatchObject({ type: "about:blank", title: text, status, code, detail: text });
  });
});

describe("the answer during a pause", () => {
  it.each(["breaker", "credential", "operator"] as const)("says that it was paused by %s", async (by) => {
    expect(pausedBy(await pausedAnswer(by, { retried: 0 }).text())).toBe(by);
  });

  it("is told from every other answer of this worker", async () => {
    const others = [[DELIVERED], [DELIVERED, DEAD], [RETRY, WAIT], [PAUSE]].map((results) =>
      answerFor(results, { retried: 0 }, NOW_MS),
    );
    for (const answer of others) expect(pausedBy(await answer.text())).toBeUndefined();
  });

  it.each([
    ["nothing", ""],
    ["no JSON", "<html>paused</html>"],
    ["another type", '["paused","credential"]'],
    ["null", "null"],
    ["the answer of a worker before this one", '{"code":"paused","detail":"delivery is paused"}'],
    ["nobody we know", '{"code":"paused","by":"rejected"}'],
    ["another code", '{"code":"leased","by":"credential"}'],
  ])("is not seen in %s", (_, answer) => {
    expect(pausedBy(answer)).toBeUndefined();
  });
});
