import { describe, expect, it } from "vitest";
import { outcomeOf, parseRetryAfter, type Answer } from "../../shared/outcome.ts";

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
  });

  it.each([
    ["HTML (not JSON)", undefined, "unreadable_success"],
    ["null", null, "unreadable_success"],
    ["a bare string", "ok", "unreadable_success"],
    ["a bare number", 1, "unreadable_success"],
    ["success:false", { success: false }, "success_false"],
  ])("200 with %s is a retry, and WorkOS may have written", (_, json, reason) => {
    expect(outcomeOf(response(200, json), NOW_MS)).toEqual({ kind: "retry", wrote: "maybe", reason });
  });

  it.each([400, 404, 413, 422])("%i is a reject", (status) => {
    expect(outcomeOf(response(status, {}), NOW_MS)).toEqual({ kind: "reject", wrote: "no", reason: `http_${status}` });
  });

  it.each([401, 403])("%i pauses", (status) => {
    expect(outcomeOf(response(status, {}), NOW_MS)).toEqual({ kind: "pause", wrote: "no", reason: `http_${status}` });
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
