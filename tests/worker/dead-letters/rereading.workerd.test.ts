/** Unreadable dead letters after a deployment that can read them. */
import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeEach, expect, it } from "vitest";
import { encodeMessage } from "../../../shared/wire.ts";
import { get, post, deadLetterObject } from "../support/api.workerd.ts";
import { eventId, letter, numberedRecord } from "../support/letters.ts";

beforeEach(() =>
  runInDurableObject(deadLetterObject(), (_, { storage }) => void storage.sql.exec("DELETE FROM dead_letters")),
);

const bytesOf = (message: unknown) => btoa(JSON.stringify(message));
const unreadable = (id: string, body: string) => ({
  eventId: id,
  class: "unreadable" as const,
  wrote: "no" as const,
  reason: "unreadable version 2 is newer than this worker",
  attempts: 4,
  body,
  source: "sweep" as const,
  dlqId: "7-0",
});

/** A new deployment starts the object anew, and its first alarm reads again. */
async function deploy(): Promise<void> {
  await abortAllDurableObjects();
  await deadLetterObject().unsighted([]);
  await runDurableObjectAlarm(deadLetterObject());
}

const list = async () => (await get("/api/dead-letters")).json.dead_letters;

it("become dead letters of their own, which can be replayed", async () => {
  await deadLetterObject().park([
    unreadable("unreadable-1", bytesOf(encodeMessage([numberedRecord(1), numberedRecord(2)]))),
  ]);
  await deploy();
  const letters = await list();
  expect(letters.map((found: { event_id: string }) => found.event_id).toSorted()).toEqual([eventId(1), eventId(2)]);
  expect(letters[0]).toMatchObject({
    class: "exhausted",
    wrote: "no",
    reason: "unreadable until now",
    source: "sweep",
    attempts: 4,
  });
  const { json } = await post("/api/replays", { all: true, dry_run: true });
  expect(json.plan).toMatchObject({ send: 2 });
});

it("keep an id that they already had", async () => {
  await deadLetterObject().park([unreadable(eventId(1), bytesOf(encodeMessage([numberedRecord(1)])))]);
  await deploy();
  const { json } = await get(`/api/dead-letters/${eventId(1)}`);
  expect(json).toMatchObject({ class: "exhausted", action: "user.created", history: [], record: { id: eventId(1) } });
  expect(json).not.toHaveProperty("body_bytes");
});

it("do not disturb what is known of their records already", async () => {
  await deadLetterObject().park([
    letter(1, { reason: "http_503" }),
    unreadable("unreadable-1", bytesOf(encodeMessage([numberedRecord(1)]))),
  ]);
  await deploy();
  expect(await list()).toMatchObject([{ event_id: eventId(1), reason: "http_503", wrote: "maybe" }]);
});

it("stay as they are while nobody can read them", async () => {
  await deadLetterObject().park([unreadable("unreadable-1", bytesOf({ v: 3 })), unreadable("unreadable-2", btoa("{"))]);
  await deploy();
  expect((await list()).map((found: { class: string }) => found.class)).toEqual(["unreadable", "unreadable"]);
  expect((await post("/api/replays", { all: true, dry_run: true })).json.plan).toMatchObject({
    send: 0,
    skip_reasons: { unreadable: 2 },
  });
});
