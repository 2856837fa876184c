import { expect, test } from "vitest";
import type { AnswerName } from "../../../dev/workos/answers.ts";
import type { Knobs } from "../../../dev/workos/server.ts";
import { eventBody, postEvent, started, storedIds } from "./harness.ts";

const HOUR_MS = 3_600_000;

test("a key is answered from store for 24 hours, and then makes a second event", async () => {
  const standIn = await started({ clock: { now: () => 0 } });
  const send = (): Promise<unknown> => postEvent(standIn, eventBody("e1"), { key: "e1" });
  await send();
  standIn.clock.advance(24 * HOUR_MS - 1);
  await send();
  expect(standIn.events()).toHaveLength(1);
  standIn.clock.advance(1);
  await send();
  expect(standIn.events()).toHaveLength(2);
  expect(standIn.requests().map((request) => request.outcome)).toEqual(["committed", "replayed", "committed"]);
});

test("an event without a key is committed each time", async () => {
  const standIn = await started();
  await postEvent(standIn, eventBody("e1"));
  await postEvent(standIn, eventBody("e1"));
  expect(storedIds(standIn)).toEqual(["e1", "e1"]);
});

test("fifty requests with one key at once commit one event", async () => {
  const standIn = await started();
  const all = await Promise.all(Array.from({ length: 50 }, () => postEvent(standIn, eventBody("e1"), { key: "e1" })));
  expect(new Set(all.map((got) => `${got.status} ${got.text}`))).toEqual(new Set(['200 {"success":true}']));
  expect(standIn.events()).toHaveLength(1);
});

test("a request that was held back finds the key already used", async () => {
  const standIn = await started();
  standIn.faults.add({ match: { nth: 1 }, delayMs: 200 });
  const held = postEvent(standIn, eventBody("e1"), { key: "e1" });
  await expect.poll(() => standIn.requests()).toHaveLength(1);
  await postEvent(standIn, eventBody("e1"), { key: "e1" });
  expect((await held).status).toBe(200);
  expect(standIn.events()).toHaveLength(1);
  expect(new Set(standIn.requests().map((request) => request.outcome))).toEqual(new Set(["replayed", "committed"]));
});

test("another body under a used key gets the first answer, is not stored, and shows in the requests", async () => {
  const standIn = await started();
  await postEvent(standIn, eventBody("e1"), { key: "e1" });
  await postEvent(standIn, eventBody("e1"), { key: "e1" });
  const got = await postEvent(standIn, eventBody("e2"), { key: "e1" });
  expect(got.json).toEqual({ success: true });
  expect(storedIds(standIn)).toEqual(["e1"]);
  expect(standIn.requests().map((request) => request.same_body)).toEqual([undefined, true, false]);
});

test("with the conflict knob another body under a used key is 409, and the same body still replays", async () => {
  const standIn = await started({ keyReuse: "conflict" });
  await postEvent(standIn, eventBody("e1"), { key: "e1" });
  expect((await postEvent(standIn, eventBody("e2"), { key: "e1" })).status).toBe(409);
  expect((await postEvent(standIn, eventBody("e1"), { key: "e1" })).status).toBe(200);
  expect(storedIds(standIn)).toEqual(["e1"]);
});

const BAD = eventBody("e1", { occurred_at: "yesterday" });

test("a refusal is repeated for its key even when the body has been mended, but not for a new key", async () => {
  const standIn = await started();
  const first = await postEvent(standIn, BAD, { key: "e1" });
  const repeated = await postEvent(standIn, eventBody("e1"), { key: "e1" });
  expect([repeated.status, repeated.text]).toEqual([400, first.text]);
  expect((await postEvent(standIn, eventBody("e1"), { key: "e1:r1" })).status).toBe(200);
  expect(storedIds(standIn)).toEqual(["e1"]);
});

test("with keepAnswers success a mended body passes under the same key", async () => {
  const standIn = await started({ keepAnswers: "success" });
  expect((await postEvent(standIn, BAD, { key: "e1" })).status).toBe(400);
  expect((await postEvent(standIn, eventBody("e1"), { key: "e1" })).status).toBe(200);
});

const kept: [answer: AnswerName, knob: Knobs["keepAnswers"], repeated: boolean][] = [
  ["invalid_audit_log", "4xx", true],
  ["invalid_audit_log", "success", false],
  ["organization_not_found", "4xx", true],
  ["validation_failed", "4xx", true],
  ["conflict", "4xx", false],
  ["internal_error", "4xx", false],
  ["internal_error", "all", true],
  ["rate_limited", "all", false],
  ["unauthorized", "all", false],
  ["payload_too_large", "all", false],
  ["html_200", "all", false],
];

test.each(kept)(
  "the scripted %s with keepAnswers %s is kept under its key: %s",
  async (name, keepAnswers, repeated) => {
    const standIn = await started({ keepAnswers });
    standIn.faults.add({ answer: name, times: 1 });
    const first = await postEvent(standIn, eventBody("e1"), { key: "e1" });
    const second = await postEvent(standIn, eventBody("e1"), { key: "e1" });
    expect(second.status).toBe(repeated ? first.status : 200);
    expect(standIn.events()).toHaveLength(repeated ? 0 : 1);
  },
);

test("a scripted refusal does not replace the answer of an event that is stored", async () => {
  const standIn = await started();
  await postEvent(standIn, eventBody("e1"), { key: "e1" });
  standIn.faults.add({ answer: "invalid_audit_log", times: 1 });
  expect((await postEvent(standIn, eventBody("e1"), { key: "e1" })).status).toBe(400);
  expect((await postEvent(standIn, eventBody("e1"), { key: "e1" })).status).toBe(200);
  expect(standIn.events()).toHaveLength(1);
});
