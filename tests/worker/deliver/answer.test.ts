import { describe, expect, it } from "vitest";
import { answerFor, pausedAnswer } from "../../../worker/deliver/answer.ts";
import { pausedBy } from "../../../worker/monitor/paused-answer.ts";
import type { RecordResult } from "../../../worker/deliver/ports.ts";

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
    const answer = answerFor(results, { retried: 0 });
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
    [1, "2040"],
    [2, "69360"],
    [3, "30"],
  ])("during a pause, after %i retries, to wait %s seconds", (retried, expected) => {
    const answer = pausedAnswer("operator", { retried });
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe(expected);
  });
});

it.each([
  [5, 1, "336"],
  [5, 2, "1882"],
  [8, 2, "397"],
  [8, 7, "44431"],
])("of %i retries, after %i, the wait is that of their own plan", (retries, retried, expected) => {
  expect(answerFor([WAIT], { retried, retries }).headers.get("retry-after")).toBe(expected);
});

describe("an answer that is no success", () => {
  it.each([
    ["undelivered", answerFor([RETRY], { retried: 0 })],
    ["rejected", answerFor([DEAD], { retried: 0 })],
    ["paused", pausedAnswer("operator", { retried: 0 })],
  ])("is a problem document with the code %s", async (code, answer) => {
    expect(answer.headers.get("content-type")).toBe("application/problem+json");
    const { status } = answer;
    const text = expect.any(String) as unknown;
    expect(await answer.json()).toMatchObject({ type: "about:blank", title: text, status, code, detail: text });
  });
});

describe("the answer during a pause", () => {
  it.each(["credential", "operator"] as const)("says that it was paused by %s", async (by) => {
    expect(pausedBy(await pausedAnswer(by, { retried: 0 }).text())).toBe(by);
  });

  it("is told from every other answer of this worker", async () => {
    const others = [[DELIVERED], [DELIVERED, DEAD], [RETRY, WAIT], [PAUSE]].map((results) =>
      answerFor(results, { retried: 0 }),
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
