/** Export and import: what comes out of one deployment goes into another. */
import { runInDurableObject } from "cloudflare:test";
import { beforeEach, expect, it } from "vitest";
import { DEAD_LETTER_RETENTION_MS } from "../../../shared/limits.ts";
import { call, get, post, deadLetterObject } from "../support/api.workerd.ts";
import { eventId, letter, numberedRecord } from "../support/letters.ts";

const empty = () =>
  runInDurableObject(deadLetterObject(), (_, { storage }) => void storage.sql.exec("DELETE FROM dead_letters"));
beforeEach(empty);

const importLines = (lines: readonly string[]) => call("POST", "/api/dead-letters/import", lines.join("\n"));
const exported = async () => (await get("/api/dead-letters?whole=true&reveal=true")).json.dead_letters;

it("takes an export as it is, with history, bytes and selected values", async () => {
  await deadLetterObject().park([
    letter(1, {}, { metadata: { plan: "pro" } }),
    {
      eventId: "unreadable-1",
      class: "unreadable",
      wrote: "no",
      reason: "unreadable",
      attempts: 1,
      body: "e30=",
      source: "worker",
    },
  ]);
  await deadLetterObject().park([
    letter(1, {
      reason: "http_500",
      record: numberedRecord(1, { metadata: { plan: "pro" }, replay: { id: "rp_1", n: 1 } }),
    }),
  ]);
  const before = await exported();
  await empty();
  expect((await importLines(before.map((entry: object) => JSON.stringify(entry)))).json).toEqual({
    imported: 2,
    known: 0,
    refused: [],
    by: "admin",
    at: expect.any(String),
  });
  const after = await exported();
  const {
    replay_id: _lost,
    message_id: _id,
    ...kept
  } = before.find((entry: { event_id: string }) => entry.event_id === eventId(1));
  expect(after.find((entry: { event_id: string }) => entry.event_id === eventId(1))).toMatchObject({
    ...kept,
    source: "import",
    state: "open",
  });
  expect(after.find((entry: { event_id: string }) => entry.event_id === "unreadable-1")).toMatchObject({
    body: "e30=",
  });
});

it("leaves a known entry as it is", async () => {
  await deadLetterObject().park([letter(1)]);
  const [entry] = await exported();
  const answer = await importLines([JSON.stringify({ ...entry, reason: "another" }), ""]);
  expect(answer.json).toMatchObject({ imported: 0, known: 1, refused: [] });
  expect((await exported())[0].reason).toBe("http_503");
});

it("refuses each wrong line by itself and takes the others", async () => {
  await deadLetterObject().park([letter(1, {}, { metadata: { plan: "pro" } })]);
  const [entry] = await exported();
  await empty();
  const old = new Date(Date.now() - DEAD_LETTER_RETENTION_MS - 1_000).toISOString();
  const wrong: [string, string][] = [
    ["not json", '"line" is missing or malformed'],
    ["[]", '"line" is missing or malformed'],
    [JSON.stringify({ ...entry, class: "x" }), '"class" is missing or malformed'],
    [JSON.stringify({ ...entry, event_id: "a:r1" }), '"event_id" is missing or malformed'],
    [JSON.stringify({ ...entry, parked_at: old }), '"parked_at" is longer ago'],
    [JSON.stringify({ ...entry, record: undefined }), '"record" or "body" is required'],
    [JSON.stringify({ ...entry, record: undefined, body: "e30" }), '"body" is missing or malformed'],
    [JSON.stringify({ ...entry, record: undefined, body: "e-0=" }), '"body" is missing or malformed'],
    [JSON.stringify({ ...entry, record: undefined, body: "e30=e30=" }), '"body" is missing or malformed'],
    [JSON.stringify({ ...entry, record: { ...entry.record, id: "other" } }), '"record.id" must be the "event_id"'],
    [
      JSON.stringify({ ...entry, record: { ...entry.record, metadata: { plan: "[hidden]" } } }),
      '"record" holds hidden values',
    ],
    [JSON.stringify({ ...entry, record: { ...entry.record, actor: undefined } }), '"record" cannot be read'],
    [JSON.stringify({ ...entry, record: { ...entry.record, padding: "x".repeat(20_000) } }), '"record" is too large'],
  ];
  const answer = await importLines([...wrong.map(([line]) => line), JSON.stringify(entry)]);
  expect(answer.status).toBe(200);
  expect(answer.json).toMatchObject({ imported: 1, known: 0 });
  expect(answer.json.refused.map(({ line }: { line: number }) => line)).toEqual(wrong.map((_, index) => index + 1));
  for (const [index, [, detail]] of wrong.entries()) expect(answer.json.refused[index].detail).toContain(detail);
});

it("refuses more than 1,000 lines whole", async () => {
  const answer = await importLines(Array.from({ length: 1_001 }, () => "{}"));
  expect({ status: answer.status, code: answer.json.code }).toEqual({ status: 400, code: "invalid_request" });
});

it("can be replayed where it was imported, with the risk of what its old ledger knew", async () => {
  await deadLetterObject().park([letter(1)]);
  const [entry] = await exported();
  await empty();
  await importLines([JSON.stringify(entry)]);
  const { json } = await post("/api/replays", { all: true, dry_run: true });
  expect(json.plan).toMatchObject({ send: 0, duplicates_possible: 1, needs_accept_duplicates: true });
});
