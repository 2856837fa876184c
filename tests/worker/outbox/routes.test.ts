/** `/ingest` from outside: who may spill, and that a spilled message ends as one event. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { MESSAGE_MAX_BYTES } from "../../../shared/limits.ts";
import { startDirect, INGEST_KEY, type Direct } from "../support/direct.ts";
import { spill, type Spill } from "../support/ingest.ts";
import { until } from "../support/local-path.ts";
import { publishedBody } from "../support/published.ts";
import { messageOf, recordOf, recordsOf } from "../support/records.ts";

const PREVIOUS_KEY = "whsec_cHJldmlvdXMtaW5nZXN0LWtleS0zMi1ieXRlcyE=";
const OTHER_KEY = "whsec_b3RoZXItaW5nZXN0LWtleS0zMi1ieXRlcy1sb25n";

let direct: Direct;
beforeAll(async () => {
  direct = await startDirect({ vars: { AUDIT_INGEST_KEY_PREVIOUS: PREVIOUS_KEY } });
});
afterAll(() => direct.stop());
beforeEach(() => direct.workos.reset());

const eventCount = (count: number) =>
  until(
    () => direct.workos.events(),
    (events) => events.length === count,
  );

describe("a spilled message", () => {
  it.each([
    ["the key", INGEST_KEY],
    ["the key before a rotation", PREVIOUS_KEY],
  ])("signed with %s is stored and becomes one event for each record", async (_, key) => {
    const answer = await spill(direct.url, await publishedBody(recordsOf(3)), { key });
    expect(answer).toMatchObject({ status: 202, json: { stored: true } });
    await eventCount(3);
  });

  it("is signed by one of several signatures", async () => {
    const body = messageOf(recordOf());
    const headers = { "webhook-signature": "v1,AAAA v1a,BBBB" };
    expect((await spill(direct.url, body, { key: INGEST_KEY, headers })).status).toBe(401);
    const { Webhook } = await import("standardwebhooks");
    const own = new Webhook(INGEST_KEY).sign("m1", new Date(), body);
    const both = { "webhook-signature": `v1,AAAA ${own}` };
    expect((await spill(direct.url, body, { key: INGEST_KEY, headers: both })).status).toBe(202);
    await eventCount(1);
  });

  it("and the same message published at once are one event", async () => {
    const records = recordsOf(2);
    const body = await publishedBody(records);
    await Promise.all([
      spill(direct.url, body, { key: INGEST_KEY }),
      direct.deliver(records),
      spill(direct.url, body, { key: INGEST_KEY, id: "m2" }),
    ]);
    await direct.queue.idle();
    await until(
      async () => (await (await fetch(`${direct.url}/health`)).json()) as { outbox: { waiting: number } },
      ({ outbox }) => outbox.waiting === 0,
    );
    await direct.queue.idle();
    const ids = direct.workos.events().map(({ event }) => event.metadata?.["event_id"]);
    expect(new Set(ids)).toEqual(new Set(records.map(({ id }) => id)));
    expect(ids).toHaveLength(2);
  });

  it("waits in the queue like the policy's own where it is an intent", async () => {
    const intent = recordOf({ stage: "intent" });
    await spill(direct.url, messageOf(intent), { key: INGEST_KEY });
    const listed = async () => {
      const response = await fetch(`${direct.queue.url}/v2/events?count=100`, {
        headers: { authorization: `Bearer ${direct.queue.token}` },
      });
      return ((await response.json()) as { events: { body?: string; state: string; nextDeliveryTime?: number }[] })
        .events;
    };
    await until(listed, (events) =>
      events.some(({ body = "" }) => Buffer.from(body, "base64").toString().includes(intent.id)),
    );
    await direct.queue.idle();
    expect(direct.workos.events()).toEqual([]);
  });
});

describe("a spilled message is refused", () => {
  it.each<[string, Spill & { readonly minutesOff?: number }, string]>([
    ["with another key", { key: OTHER_KEY }, '"webhook-signature" does not match'],
    ["six minutes old", { key: INGEST_KEY, minutesOff: -6 }, "more than five minutes off"],
    ["six minutes early", { key: INGEST_KEY, minutesOff: 6 }, "more than five minutes off"],
    ["without an id", { key: INGEST_KEY, headers: { "webhook-id": "" } }, '"webhook-id" is missing'],
    ["without a time", { key: INGEST_KEY, headers: { "webhook-timestamp": "" } }, '"webhook-timestamp" is missing'],
    [
      "without a signature",
      { key: INGEST_KEY, headers: { "webhook-signature": "" } },
      '"webhook-signature" is missing',
    ],
    ["with a time that is no number", { key: INGEST_KEY, headers: { "webhook-timestamp": "now" } }, "does not match"],
    ["with another id than signed", { key: INGEST_KEY, headers: { "webhook-id": "m9" } }, "does not match"],
    [
      "with a signature of another version",
      { key: INGEST_KEY, headers: { "webhook-signature": "v2,AAAA" } },
      "does not match",
    ],
  ])("%s", async (_, { minutesOff = 0, ...how }, detail) => {
    const at = new Date(Date.now() + minutesOff * 60_000);
    const answer = await spill(direct.url, messageOf(recordOf()), { at, ...how });
    expect(answer).toMatchObject({ status: 401, json: { code: "invalid_signature" } });
    expect(answer.json["detail"]).toContain(detail);
  });

  it("with another body than signed", async () => {
    const { Webhook } = await import("standardwebhooks");
    const signature = new Webhook(INGEST_KEY).sign("m1", new Date(), "{}");
    const headers = { "webhook-signature": signature };
    expect(await spill(direct.url, messageOf(recordOf()), { key: INGEST_KEY, headers })).toMatchObject({ status: 401 });
  });

  it.each([
    ["no JSON", "{"],
    ["no records", '{"v":1}'],
    ["an empty list", '{"v":1,"records":[]}'],
    ["a record without an id", '{"v":1,"records":[{}]}'],
    ["an id with a colon", '{"v":1,"records":[{"id":"a:r1"}]}'],
  ])("where it holds %s", async (_, body) => {
    expect(await spill(direct.url, body, { key: INGEST_KEY })).toMatchObject({
      status: 400,
      json: { code: "invalid_message", detail: '"records" must be a list of objects, each with an "id"' },
    });
  });

  it("over the limit, before its signature is looked at", async () => {
    const answer = await spill(direct.url, "x".repeat(MESSAGE_MAX_BYTES + 1), { key: OTHER_KEY });
    expect(answer).toMatchObject({ status: 413, json: { code: "payload_too_large" } });
  });
});

it("takes a message of a newer version, whose records it cannot read", async () => {
  const answer = await spill(direct.url, '{"v":9,"records":[{"id":"future-1","new":true}]}', { key: INGEST_KEY });
  expect(answer.status).toBe(202);
});
