/** `/deliver` from outside, on the real worker in workerd. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MESSAGE_MAX_BYTES } from "../../../shared/limits.ts";
import { sign, startDirect, type Direct } from "../support/direct.ts";
import { until } from "../support/local-path.ts";
import { messageOf, recordOf, recordsOf } from "../support/records.ts";

let direct: Direct;
beforeAll(async () => {
  direct = await startDirect();
});
afterAll(() => direct.stop());
beforeEach(() => direct.workos.reset());

const sorted = (texts: readonly unknown[]) => texts.map(String).toSorted((a, b) => a.localeCompare(b));
const storedIds = () => direct.workos.events().map(({ event }) => event.metadata?.["event_id"]);

describe("a signed message", () => {
  it("becomes one event for each record, under its event id", async () => {
    const records = recordsOf(3);
    const answer = await direct.deliver(records);
    expect(answer.status).toBe(200);
    expect(answer.json.records).toEqual(records.map(({ id }) => ({ id, result: "delivered" })));
    expect(sorted(storedIds())).toEqual(sorted(records.map(({ id }) => id)));
    const keys = direct.workos.requests().map(({ idempotency_key }) => idempotency_key);
    expect(sorted(keys)).toEqual(sorted(records.map(({ id }) => id)));
  });

  it("delivered again is acknowledged without asking WorkOS", async () => {
    const records = recordsOf(2);
    await direct.deliver(records);
    const again = await direct.deliver(records, { "upstash-retried": "1" });
    expect(again.status).toBe(200);
    expect(again.json.records).toEqual(records.map(({ id }) => ({ id, result: "skipped", reason: "delivered" })));
    expect(direct.workos.requests()).toHaveLength(2);
  });

  it("with the same event id twice sends it once, the outcome before the intent", async () => {
    const intent = recordOf({ stage: "intent", outcome: "unknown" });
    const outcome = recordOf({ id: intent.id });
    const answer = await direct.deliver([intent, outcome, outcome]);
    expect(answer.status).toBe(200);
    expect(direct.workos.events()).toHaveLength(1);
    expect(direct.workos.events()[0]?.event.metadata).toMatchObject({ outcome: "success" });
  });
});

describe("an unsigned or wrongly signed request", () => {
  it("is refused with 401 before its content is looked at", async () => {
    const body = "not even JSON";
    const token = await sign(body, { key: "sig_other", url: `${direct.url}/deliver` });
    for (const [given, detail] of [
      [token, '"upstash-signature" was made with another key'],
      ["", '"upstash-signature" is missing'],
    ] as const) {
      const answer = await direct.post(body, given);
      expect(answer.status).toBe(401);
      expect(answer.headers.get("content-type")).toBe("application/problem+json");
      expect(answer.json).toEqual({
        type: "about:blank",
        title: "Unauthorized",
        status: 401,
        code: "invalid_signature",
        detail,
      });
    }
    expect(direct.workos.requests()).toEqual([]);
  });

  it("signed for the dead-letter route is refused", async () => {
    const body = messageOf(recordOf());
    const token = await sign(body, { key: direct.queue.currentSigningKey, url: `${direct.url}/dead-letter` });
    expect((await direct.post(body, token)).json).toMatchObject({ code: "invalid_signature" });
  });
});

describe("a body over the limit", () => {
  it.each([
    ["with its length", (body: string) => body],
    ["without its length", (body: string) => new Blob([body]).stream()],
  ])("is refused with 413 %s", async (_, send) => {
    const body = "x".repeat(MESSAGE_MAX_BYTES + 1);
    const token = await sign(body, { key: direct.queue.currentSigningKey, url: `${direct.url}/deliver` });
    const response = await fetch(`${direct.url}/deliver`, {
      method: "POST",
      body: send(body),
      headers: { "upstash-signature": token },
      duplex: "half",
    });
    expect(response.status).toBe(413);
    expect(await response.json()).toMatchObject({ code: "payload_too_large" });
  });
});

describe("what cannot be read", () => {
  it.each([
    ["no JSON", "{"],
    ["no object", "7"],
    ["no version", '{"g":["i","1"],"records":[{"id":"a"}]}'],
    ["a version that is no number", '{"v":"1","g":[],"records":[]}'],
    ["no records", '{"v":1,"g":["i","1"],"records":[]}'],
    [
      "too many records",
      JSON.stringify({ v: 1, g: ["i", "1"], records: Array.from({ length: 101 }, () => ({ id: "a" })) }),
    ],
  ])("is archived as bytes and never retried: %s", async (_, body) => {
    const answer = await direct.deliver(body);
    expect(answer.status).toBe(489);
    expect(answer.headers.get("upstash-nonretryable-error")).toBe("true");
    const [{ id, result, reason }] = answer.json.records;
    expect(id).toMatch(/^unreadable-[0-9a-f]{32}$/);
    expect(result).toBe("dead_letter");
    expect(reason).toMatch(/^unreadable /);
    const parked = await direct.admin("GET", `/api/dead-letters/${id}`);
    expect(parked.json).toMatchObject({ event_id: id, class: "unreadable", wrote: "no" });
  });

  it("one unreadable record does not keep the others from WorkOS", async () => {
    const [good] = recordsOf(1);
    const message = JSON.parse(messageOf(good!)) as { records: unknown[] };
    message.records.push({ id: "broken-1", c: "not a list" });
    const answer = await direct.deliver(JSON.stringify(message));
    expect(answer.status).toBe(489);
    expect(answer.json.records).toEqual([
      { id: good!.id, result: "delivered" },
      { id: "broken-1", result: "dead_letter", reason: 'unreadable "c" is missing or malformed' },
    ]);
    expect(storedIds()).toEqual([good!.id]);
  });

  it("a message that holds nothing but event ids is a dead letter under each of them", async () => {
    const ids = ["0b6c3f0e-8f4e-4a39-9a39-0c7d5f6f1a01", "0b6c3f0e-8f4e-4a39-9a39-0c7d5f6f1a02"];
    const answer = await direct.deliver(JSON.stringify({ v: 1, records: ids.map((id) => ({ id })) }));
    expect(answer.status).toBe(489);
    expect(answer.json.records.map(({ id }: { id: string }) => id)).toEqual(ids);
    for (const id of ids) {
      expect((await direct.admin("GET", `/api/events/${id}`)).json).toMatchObject({
        event_id: id,
        state: "dead_letter",
      });
    }
  });

  it("a message of a newer version is retried by the queue and told to people once", async () => {
    for (let n = 0; n < 3; n++) {
      const answer = await direct.deliver('{"v":2,"records":[]}');
      expect(answer.status).toBe(503);
      expect(answer.json.code).toBe("unsupported_version");
      expect(answer.headers.get("retry-after")).toBeNull();
    }
    const health = await (await fetch(`${direct.url}/health`)).json();
    expect(health).toMatchObject({
      status: "degraded",
      incidents: expect.arrayContaining([expect.objectContaining({ kind: "newer_message" })]) as unknown,
    });
    // The log comes through a pipe of its own.
    const told = await until(
      () => direct.log().filter((line) => JSON.stringify(line).includes("newer_message")),
      (found) => found.length > 0,
    );
    expect(told).toHaveLength(1);
  });
});

describe("a record without an organization", () => {
  it("is a dead letter at once and is never sent", async () => {
    const { organization: _, ...record } = recordOf();
    const answer = await direct.deliver([record]);
    expect(answer.status).toBe(489);
    expect(answer.json.records).toEqual([{ id: record.id, result: "dead_letter", reason: "organization_missing" }]);
    expect(direct.workos.requests()).toEqual([]);
  });
});
