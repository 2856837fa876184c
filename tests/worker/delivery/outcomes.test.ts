/** What each answer of WorkOS means for the record, for the queue and for the next attempt, on real parts. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Fault } from "../../../dev/workos/server.ts";
import { startDirect, type Direct } from "../support/direct.ts";
import { recordOf, recordsOf } from "../support/records.ts";

let direct: Direct;
beforeAll(async () => {
  direct = await startDirect();
});
afterAll(() => direct.stop());
beforeEach(() => direct.workos.reset());

const fateOf = async (id: string) => (await direct.admin("GET", `/api/events/${id}`)).json;
const eventsOf = (id: string) => direct.workos.events().filter(({ event }) => event.metadata?.["event_id"] === id);
const requestsOf = (id: string) => direct.workos.requests().filter(({ event_id }) => event_id === id);

interface Retried {
  readonly fault: Fault;
  readonly reason: string;
  readonly wrote: "no" | "maybe";
  readonly retryAfter?: string;
  /** The stand-in had stored the event when it went wrong. */
  readonly stored?: boolean;
}

type RetriedCase = readonly [string, Retried];
const RETRIED: readonly RetriedCase[] = [
  ["408", { fault: { status: 408, body: {} }, reason: "http_408", wrote: "maybe" }],
  ["409", { fault: { status: 409, body: {} }, reason: "http_409", wrote: "maybe" }],
  ["425", { fault: { status: 425, body: {} }, reason: "http_425", wrote: "maybe" }],
  ["429", { fault: { answer: "rate_limited" }, reason: "http_429 rate_limit_exceeded", wrote: "no" }],
  [
    "429 with seconds",
    {
      fault: { status: 429, body: {}, headers: { "retry-after": "7" } },
      reason: "http_429",
      wrote: "no",
      retryAfter: "7",
    },
  ],
  ["500", { fault: { status: 500, body: {} }, reason: "http_500", wrote: "maybe" }],
  ["502 with HTML", { fault: { status: 502, body: "<html>" }, reason: "http_502", wrote: "maybe" }],
  [
    "503 that asks for more than a day, of which the other attempts leave three hours",
    {
      fault: { status: 503, body: {}, headers: { "retry-after": "999999" } },
      reason: "http_503",
      wrote: "maybe",
      retryAfter: "10800",
    },
  ],
  ["a redirect", { fault: { status: 307, headers: { location: "/elsewhere" } }, reason: "http_307", wrote: "maybe" }],
  ["200 with HTML", { fault: { html200: true }, reason: "unreadable_success", wrote: "maybe" }],
  [
    "200 with HTML after the event was stored",
    { fault: { html200: true, commit: true }, reason: "unreadable_success", wrote: "maybe", stored: true },
  ],
  ["success false", { fault: { successFalse: true }, reason: "success_false", wrote: "maybe" }],
  ["a reset before the event was stored", { fault: { reset: "before_commit" }, reason: "network", wrote: "maybe" }],
  [
    "a reset after the event was stored",
    { fault: { reset: "after_commit" }, reason: "network", wrote: "maybe", stored: true },
  ],
  [
    "500 after the event was stored",
    { fault: { status: 500, body: {}, commit: true }, reason: "http_500", wrote: "maybe", stored: true },
  ],
  ["418", { fault: { status: 418, body: {} }, reason: "http_418", wrote: "maybe" }],
  ...[401, 403, 413].map((status): RetriedCase => [
    `${status} with a page, which is not WorkOS's`,
    { fault: { status, body: "<html>blocked</html>" }, reason: `http_${status} not_workos`, wrote: "maybe" },
  ]),
];

describe("is retried", () => {
  it.each(RETRIED)("%s", async (_, { fault, reason, wrote, retryAfter, stored }) => {
    const record = recordOf();
    direct.workos.faults.add({ ...fault, times: 1 });
    const answer = await direct.deliver([record]);
    expect(answer.status).toBe(503);
    expect(answer.json).toMatchObject({ code: "undelivered", records: [{ id: record.id, result: "retry", reason }] });
    expect(answer.headers.get("retry-after")).toBe(retryAfter ?? null);
    expect(eventsOf(record.id)).toHaveLength(stored ? 1 : 0);
    expect(await fateOf(record.id)).toMatchObject({
      state: "pending",
      where: "queue",
      wrote,
      attempts: [{ n: 1, wrote, reason }],
    });

    // The next attempt sends the same bytes under the same key, and there is one event.
    const again = await direct.deliver([record], { "upstash-retried": "1" });
    expect(again.status).toBe(200);
    expect(eventsOf(record.id)).toHaveLength(1);
    expect(requestsOf(record.id).map(({ idempotency_key }) => idempotency_key)).toEqual([record.id, record.id]);
    for (const request of requestsOf(record.id)) expect(request.same_body ?? true).toBe(true);
    expect(await fateOf(record.id)).toMatchObject({ state: "delivered", wrote: "yes", attempts: [{ n: 1 }, { n: 2 }] });
  });
});

// The stand-in repeats these answers to their key, so that the next attempt meets the page again.
it.each([400, 404, 422])("%i with a page is no rejection", async (status) => {
  const record = recordOf();
  direct.workos.faults.add({ status, body: "<html>blocked</html>", times: 1 });
  expect((await direct.deliver([record])).status).toBe(503);
  const reason = `http_${status} not_workos`;
  expect(await fateOf(record.id)).toMatchObject({ state: "pending", attempts: [{ outcome: "retry", reason }] });
});

describe("is delivered", () => {
  it.each([200, 201, 202])("%i with JSON", async (status) => {
    const record = recordOf();
    direct.workos.faults.add({ status, body: { success: true }, times: 1 });
    expect((await direct.deliver([record])).status).toBe(200);
    expect(await fateOf(record.id)).toMatchObject({ state: "delivered", attempts: [{ status, outcome: "delivered" }] });
  });
});

describe("is rejected", () => {
  it.each([
    [
      "400",
      { status: 400, body: { code: "invalid_audit_log_event", message: "m", errors: [{ instancePath: "/targets" }] } },
      "http_400 invalid_audit_log_event /targets",
    ],
    [
      "400 with data in its errors",
      {
        status: 400,
        body: {
          code: "invalid_audit_log",
          errors: [{ instancePath: "/targets", keyword: "contains", data: ["secret@example.com"] }],
        },
      },
      "http_400 invalid_audit_log /targets contains",
    ],
    ["400 with only a message", { status: 400, body: { message: "Ada's secret" } }, "http_400"],
    ["404", { status: 404, body: { message: "Organization not found: 'org_x'." } }, "http_404"],
    ["413", { status: 413, body: { message: "request entity too large" } }, "http_413"],
    [
      "422",
      { status: 422, body: { message: "Validation failed.", errors: [{ code: "required", field: "event.action" }] } },
      "http_422 required event.action",
    ],
  ] as const)("%s", async (_, fault, reason) => {
    const record = recordOf();
    direct.workos.faults.add({ ...fault, times: 1 });
    const answer = await direct.deliver([record]);
    expect(answer.status).toBe(489);
    expect(answer.headers.get("upstash-nonretryable-error")).toBe("true");
    expect(answer.json).toMatchObject({
      code: "rejected",
      records: [{ id: record.id, result: "dead_letter", reason }],
    });
    expect(await fateOf(record.id)).toMatchObject({
      state: "dead_letter",
      where: "archive",
      wrote: "no",
      dead_letter: { class: "rejected", reason },
    });
    expect(JSON.stringify(direct.log())).not.toMatch(/secret/);

    // Delivered again, it is refused from memory.
    expect((await direct.deliver([record])).json).toEqual(answer.json);
    expect(requestsOf(record.id)).toHaveLength(1);
  });
});

describe("a message of several records", () => {
  it("delivers and parks what has ended and is retried for the rest, then ends as never again", async () => {
    const [first, bad, slow] = recordsOf(3);
    direct.workos.faults.add({ match: { event_id: bad!.id }, status: 422, body: { message: "m" } });
    direct.workos.faults.add({ match: { event_id: slow!.id }, status: 503, body: {}, times: 1 });
    const message = [first!, bad!, slow!];

    const one = await direct.deliver(message);
    expect(one.status).toBe(503);
    expect(one.json.records).toEqual([
      { id: first!.id, result: "delivered" },
      { id: bad!.id, result: "dead_letter", reason: "http_422" },
      { id: slow!.id, result: "retry", reason: "http_503" },
    ]);
    expect((await fateOf(bad!.id)).dead_letter).toMatchObject({ class: "rejected" });

    const two = await direct.deliver(message, { "upstash-retried": "1" });
    expect(two.status).toBe(489);
    expect(two.json.records).toEqual([
      { id: first!.id, result: "skipped", reason: "delivered" },
      { id: bad!.id, result: "dead_letter", reason: "http_422" },
      { id: slow!.id, result: "delivered" },
    ]);
    expect([first!, bad!, slow!].map(({ id }) => requestsOf(id).length)).toEqual([1, 1, 2]);
  });

  it("keeps at most five requests open", async () => {
    const records = recordsOf(20);
    // The first five stay open so long that they are open at one moment even where they come slowly, and that a sixth would come.
    direct.workos.faults.add({ delayMs: 2_000, times: 5 });
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, direct.workos.requests().filter(({ status }) => status === null).length);
    }, 2);
    const answer = await direct.deliver(records);
    clearInterval(watch);
    expect(answer.status).toBe(200);
    expect(direct.workos.events()).toHaveLength(20);
    expect(most).toBe(5);
  });

  it("sends nothing more once five in a row have failed, and passes the wait on that WorkOS asks for", async () => {
    const records = recordsOf(20);
    direct.workos.faults.add({ status: 429, body: {}, headers: { "retry-after": "120" } });
    const answer = await direct.deliver(records);
    expect(answer.status).toBe(503);
    expect(answer.headers.get("retry-after")).toBe("120");
    expect(direct.workos.requests().length).toBeLessThanOrEqual(9);
    expect(new Set(answer.json.records.map(({ result }: { result: string }) => result))).toEqual(new Set(["retry"]));
    direct.workos.faults.clear();
    await direct.admin("POST", "/api/resume");
  });
});

describe("a wait that WorkOS asks for", () => {
  it.each([
    ["first", "0", "30"],
    ["second", "1", "300"],
    ["third", "2", "71700"],
  ])("never shortens the schedule after the %s attempt", async (_, retried, expected) => {
    direct.workos.faults.add({ status: 503, body: {}, headers: { "retry-after": "30" } });
    const answer = await direct.deliver([recordOf()], { "upstash-retried": retried });
    expect(answer.headers.get("retry-after")).toBe(expected);
  });
});
