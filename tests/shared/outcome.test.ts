import { describe, expect, it } from "vitest";
import { outcomeOf, parseRetryAfter, verdictOf, type Answer, type Verdict } from "../../shared/outcome.ts";

const NOW_MS = Date.UTC(2026, 10, 24, 12, 0, 0);
const response = (status: number, json?: unknown, retryAfter?: string): Answer => ({
  kind: "response",
  status,
  json,
  retryAfter: retryAfter ?? null,
});

describe("outcomeOf", () => {
  it.each([200, 201, 202, 299])("%i with JSON is delivered", (status) => {
    expect(outcomeOf(response(status, { success: true }), NOW_MS)).toEqual({ kind: "delivered", wrote: "yes" });
    expect(outcomeOf(response(status, {}), NOW_MS)).toEqual({ kind: "delivered", wrote: "yes" });
    expect(outcomeOf(response(status, { success: true, message: "m" }), NOW_MS).kind).toBe("delivered");
  });

  it.each([
    ["HTML (not JSON)", undefined, "unreadable_success"],
    ["null", null, "unreadable_success"],
    ["a bare string", "ok", "unreadable_success"],
    ["a bare number", 1, "unreadable_success"],
    ["a list", [], "unreadable_success"],
    ["success:false", { success: false }, "success_false"],
    ["a success that is neither true nor false", { success: "no" }, "success_false"],
    ["a message and no success", { message: "down for maintenance" }, "success_false"],
    ["an error and no success", { error: "upstream" }, "success_false"],
  ])("200 with %s is a retry, and WorkOS may have written", (_, json, reason) => {
    expect(outcomeOf(response(200, json), NOW_MS)).toEqual({ kind: "retry", wrote: "maybe", reason });
  });

  const errors = [{ message: "m" }, { code: "c" }, { error: "e" }, { errors: [] }, { message: ["m"], other: 1 }];

  it.each([400, 404, 413, 422])("%i with an error of WorkOS is a reject", (status) => {
    for (const json of errors) {
      expect(outcomeOf(response(status, json), NOW_MS)).toEqual({
        kind: "reject",
        wrote: "no",
        reason: `http_${status}`,
      });
    }
  });

  it.each([401, 403])("%i with an error of WorkOS pauses", (status) => {
    for (const json of errors) {
      expect(outcomeOf(response(status, json), NOW_MS)).toEqual({
        kind: "pause",
        wrote: "no",
        reason: `http_${status}`,
      });
    }
  });

  it.each([400, 401, 403, 404, 413, 422])("%i with anything else is a retry, because it is not WorkOS's", (status) => {
    for (const json of [undefined, null, "no", 1, {}, [], [{ message: "m" }], { success: true }, { detail: "d" }]) {
      const reason = `http_${status} not_workos`;
      expect(outcomeOf(response(status, json), NOW_MS)).toEqual({ kind: "retry", wrote: "maybe", reason });
    }
  });

  it("429 is a retry that wrote nothing", () => {
    expect(outcomeOf(response(429, {}), NOW_MS)).toEqual({ kind: "retry", wrote: "no", reason: "http_429" });
  });

  it("every status from 100 to 999 that is not named is a retry that may have been written", () => {
    const named = new Set([400, 401, 403, 404, 413, 422, 429]);
    for (let status = 100; status < 1000; status++) {
      if (named.has(status) || (status >= 200 && status < 300)) continue;
      expect(outcomeOf(response(status, {}), NOW_MS), String(status)).toEqual({
        kind: "retry",
        wrote: "maybe",
        reason: `http_${status}`,
      });
    }
  });

  it.each(["timeout", "network"] as const)("%s is a retry, and WorkOS may have written", (kind) => {
    expect(outcomeOf({ kind }, NOW_MS)).toEqual({ kind: "retry", wrote: "maybe", reason: kind });
  });

  it("what was never sent is a retry that wrote nothing", () => {
    expect(outcomeOf({ kind: "not_sent" }, NOW_MS)).toEqual({ kind: "retry", wrote: "no", reason: "not_sent" });
  });

  it.each([429, 503, 408, 409])("%i passes Retry-After on", (status) => {
    expect(outcomeOf(response(status, {}, "7"), NOW_MS)).toMatchObject({ kind: "retry", retryAfterMs: 7000 });
  });
});

describe("parseRetryAfter", () => {
  it.each([
    ["0", 0],
    ["120", 120_000],
    [" 5 ", 5_000],
    ["1.5", 1_500],
    ["86401", 86_400_000],
    ["999999999999", 86_400_000],
    [new Date(NOW_MS + 90_000).toUTCString(), 90_000],
    [new Date(NOW_MS - 90_000).toUTCString(), 0],
    [new Date(NOW_MS + 30 * 86_400_000).toUTCString(), 86_400_000],
  ])("reads %s as %i ms", (value, ms) => {
    expect(parseRetryAfter(value, NOW_MS)).toBe(ms);
  });

  it.each([[undefined], [null], [""], ["soon"], ["-5"], ["1e3"], ["NaN"], ["Infinity"], ["12 apples"], ["2026x"]])(
    "does not read %s",
    (value) => {
      expect(parseRetryAfter(value, NOW_MS)).toBeUndefined();
    },
  );
});

describe("verdictOf", () => {
  const error = { message: "m" };
  it.each<[string, Answer, Verdict | undefined]>([
    ["200 with JSON", response(200, { success: true }), "delivered"],
    ["200 with a page", response(200), "failed"],
    ["200 with success:false", response(200, { success: false }), "failed"],
    ["400 of WorkOS", response(400, error), "answered"],
    ["409 of WorkOS", response(409, error), "answered"],
    ["422 of WorkOS", response(422, error), "answered"],
    ["400 of a proxy", response(400), "failed"],
    ["403 of a firewall", response(403, {}), "failed"],
    ["401 of WorkOS", response(401, error), undefined],
    ["403 of WorkOS", response(403, error), undefined],
    ["a redirect", response(307), "failed"],
    ["408 of WorkOS", response(408, error), "failed"],
    ["429 of WorkOS", response(429, error), "failed"],
    ["500 of WorkOS", response(500, error), "failed"],
    ["503 of a proxy", response(503), "failed"],
    ["a timeout", { kind: "timeout" }, "failed"],
    ["no connection", { kind: "network" }, "failed"],
    ["nothing sent", { kind: "not_sent" }, undefined],
  ])("%s", (_, answer, verdict) => {
    expect(verdictOf(answer)).toBe(verdict);
  });
});
