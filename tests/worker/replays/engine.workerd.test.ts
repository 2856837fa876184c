/** The running of a replay in its Durable Object: what QStash takes, loses or refuses, and what a restart finds. */
import { abortAllDurableObjects, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { decodeMessage } from "../../../worker/message/decoded-message.ts";
import { replays } from "../../../worker/replays/client.ts";
import { ledgerPort } from "../../../worker/ledger/client.ts";
import { get, post, deadLetterObject, workerEnv } from "../support/api.workerd.ts";
import { eventId, letter, numberedRecord } from "../support/letters.ts";

interface Published {
  readonly id: string;
  readonly body: string;
}

/** QStash as these tests need it: takes batches, remembers them, and can be told to misbehave. */
const qstash = {
  batches: [] as Published[][],
  removed: [] as string[],
  answer: undefined as ((batch: Published[]) => Response | Error | Promise<Response | Error>) | undefined,
};

beforeEach(async () => {
  Object.assign(qstash, { batches: [], removed: [], answer: undefined });
  vi.spyOn(globalThis, "fetch").mockImplementation(async (input, init) => {
    const url = new URL(input as string);
    if (init?.method === "DELETE") {
      qstash.removed.push(...url.searchParams.getAll("dlqIds"));
      return Response.json({ deleted: 1 });
    }
    const elements = JSON.parse(init?.body as string) as { headers: Record<string, string>; body: string }[];
    const batch = elements.map(({ headers, body }) => ({ id: headers["upstash-deduplication-id"] ?? "", body }));
    qstash.batches.push(batch);
    const answer = (await qstash.answer?.(batch)) ?? Response.json(batch.map(({ id }) => ({ messageId: `msg_${id}` })));
    if (answer instanceof Error) throw answer;
    return answer;
  });
  await runInDurableObject(deadLetterObject(), (_, { storage }) => {
    for (const table of ["dead_letters", "links", "sightings", "removals", "replays", "items"])
      storage.sql.exec(`DELETE FROM ${table}`);
  });
});

/** Makes the alarm's next run do everything, however long its waits are. */
async function tick(): Promise<void> {
  await runInDurableObject(deadLetterObject(), (_, { storage }) => {
    storage.sql.exec("UPDATE replays SET due_at = 0 WHERE state = 'running'");
    storage.sql.exec("UPDATE items SET check_at = 0 WHERE outcome = 'published'");
    storage.sql.exec("UPDATE removals SET due_at = 0");
    return storage.setAlarm(Date.now() + 60_000);
  });
  await runDurableObjectAlarm(deadLetterObject());
}

/** The replay that a batch belongs to: its alarm is due at once, and may come before the answer to `start` is read. */
function replayOf([first]: readonly Published[]): string {
  const decoded = decodeMessage(new TextEncoder().encode(first?.body ?? ""));
  return (decoded.kind === "message" && decoded.records[0]?.replay?.id) || "none";
}

const start = async (body: object = {}) =>
  (await post("/api/replays", { all: true, accept_duplicates: true, rate: 20, ...body })).json;
const show = async (id: string) => (await get(`/api/replays/${id}`)).json;
const park = (...numbers: number[]) =>
  deadLetterObject().park(
    numbers.map((number) => letter(number, { class: "rejected", wrote: "no", dlqId: `${number}-0` })),
  );
const range = (count: number) => Array.from({ length: count }, (_, index) => index + 1);
const deliveredIds = async (ids: readonly string[]) => {
  const port = ledgerPort(workerEnv);
  const lease = crypto.randomUUID();
  await port.claim(
    lease,
    ids.map((id) => ({ id, stage: "outcome" as const, body: "{}", occurredAtMs: Date.now() })),
    Date.now(),
  );
  const attempt = { atMs: Date.now(), durationMs: 1, outcome: "delivered", wrote: "yes", status: 200 } as const;
  await port.settle(
    lease,
    ids.map((id) => ({ id, attempt })),
    Date.now(),
  );
};

describe("a batch", () => {
  it("holds half a second's records in the order of their ids, each with its own id and mark", async () => {
    await park(...range(15));
    const { id } = await start();
    await tick();
    const [batch] = qstash.batches;
    expect(batch?.map((message) => message.id)).toEqual(range(10).map((number) => `${eventId(number)}_r1`));
    const decoded = decodeMessage(new TextEncoder().encode(batch?.[0]?.body ?? ""));
    expect(decoded).toMatchObject({
      kind: "message",
      records: [{ ...numberedRecord(1), replay: { id, n: 1, acceptDuplicates: true } }],
    });
  });

  it("is sent again, the same to the byte, when its answer was lost", async () => {
    await park(1, 2, 3);
    qstash.answer = () => new Error("connection reset after the commit");
    const { id } = await start();
    await tick();
    expect((await show(id)).progress).toMatchObject({ published: 0 });
    expect(await show(id)).toMatchObject({ state: "running", problem: "queue_unreachable" });
    qstash.answer = undefined;
    await tick();
    const last = qstash.batches.at(-1);
    expect(qstash.batches.length).toBeGreaterThan(1);
    for (const batch of qstash.batches) expect(batch).toEqual(last);
    expect(await show(id)).toMatchObject({ progress: { published: 3 } });
    expect(await show(id)).not.toHaveProperty("problem");
  });

  it("is sent again after the object was thrown out of memory in between", async () => {
    await park(1, 2, 3);
    qstash.answer = () => new Error("killed");
    const { id } = await start();
    await tick();
    await abortAllDurableObjects();
    qstash.answer = undefined;
    await tick();
    expect(qstash.batches.at(-1)).toEqual(qstash.batches[0]);
    expect((await show(id)).progress.published).toBe(3);
  });

  it.each([
    ["a 500", () => new Response("", { status: 500 })],
    ["a 429 that says when", () => new Response("", { status: 429, headers: { "burst-ratelimit-reset": "120" } })],
    ["HTML", () => new Response("<html>")],
    ["an answer for another number of messages", () => Response.json([{ messageId: "m" }])],
  ])("stays pending after %s", async (_, answer) => {
    await park(1, 2);
    qstash.answer = answer;
    const { id } = await start();
    await tick();
    expect((await show(id)).progress).toMatchObject({ published: 0, skipped: 0 });
  });

  it("waits as long as a 429 asks for", async () => {
    await park(1);
    qstash.answer = () => new Response("", { status: 429, headers: { "burst-ratelimit-reset": "120" } });
    await start();
    await tick();
    const dueInMs = await runInDurableObject(
      deadLetterObject(),
      (_, { storage }) => Number(storage.sql.exec("SELECT due_at FROM replays").one()["due_at"]) - Date.now(),
    );
    expect(dueInMs).toBeGreaterThan(100_000);
  });
});

describe("a message that QStash refuses", () => {
  it("gives its dead letter back after five tries, and the others go on", async () => {
    await park(1, 2);
    const refused = `${eventId(1)}_r1`;
    qstash.answer = (batch) =>
      Response.json(batch.map(({ id }) => (id === refused ? { error: "too large" } : { messageId: "m" })));
    const { id } = await start();
    for (let tries = 0; tries < 5; tries++) await tick();
    expect((await show(id)).progress).toMatchObject({ published: 1, skipped: 1 });
    const items = await get(`/api/replays/${id}/items?outcome=skipped`);
    expect(items.json.items).toMatchObject([{ event_id: eventId(1), reason: "not_accepted" }]);
    expect((await get(`/api/dead-letters/${eventId(1)}`)).json.state).toBe("open");
  });
});

describe("QStash's own dead letter", () => {
  it("goes only once the new message is accepted", async () => {
    await park(1);
    qstash.answer = () => new Error("down");
    await start();
    await tick();
    expect(qstash.removed).toEqual([]);
    qstash.answer = undefined;
    await tick();
    await tick();
    expect(qstash.removed).toEqual(["1-0"]);
  });

  it("of several records goes only once all of them are accepted", async () => {
    await deadLetterObject().park([letter(1, { dlqId: "shared" }), letter(2, { dlqId: "shared" })]);
    await start({ all: undefined, event_ids: [eventId(1)] });
    await tick();
    await tick();
    expect(qstash.removed).toEqual([]);
    await start({ all: undefined, event_ids: [eventId(2)] });
    await tick();
    await tick();
    expect(qstash.removed).toEqual(["shared"]);
  });

  it("that is heard of only after the replay goes then", async () => {
    await deadLetterObject().park([letter(1)]);
    await start();
    await tick();
    await deadLetterObject().park([letter(1, { dlqId: "late" })]);
    await tick();
    expect(qstash.removed).toEqual(["late"]);
  });
});

describe("a replay", () => {
  it("ends when the ledger knows of every record, and its dead letters are closed", async () => {
    await park(21, 22, 23);
    const { id } = await start();
    await tick();
    await deliveredIds([eventId(21), eventId(22)]);
    await tick();
    expect(await show(id)).toMatchObject({ state: "settling", progress: { published: 3, delivered: 2 } });
    await deliveredIds([eventId(23)]);
    await tick();
    expect(await show(id)).toMatchObject({
      state: "done",
      progress: { delivered: 3 },
      receipt: { counts: { total: 3, delivered: 3 } },
    });
    expect((await get("/api/dead-letters")).json.dead_letters).toEqual([]);
    expect((await get("/api/dead-letters?state=delivered")).json.dead_letters).toHaveLength(3);
  });

  it("closes a dead letter that was delivered another way instead of sending it", async () => {
    await park(31);
    await deliveredIds([eventId(31)]);
    const created = await start();
    expect(created).toMatchObject({ state: "done", plan: { send: 0, skip_reasons: { delivered: 1 } } });
    expect(qstash.batches).toEqual([]);
    expect((await get(`/api/dead-letters/${eventId(31)}`)).json.state).toBe("delivered");
  });

  it("takes a failure that comes before QStash's answer to the publish", async () => {
    await park(1);
    qstash.answer = async (batch) => {
      const record = numberedRecord(1, { replay: { id: replayOf(batch), n: 1 } });
      const how = { class: "rejected", wrote: "no", reason: "http_422", source: "worker", messageId: "m2" } as const;
      await deadLetterObject().park([letter(1, { ...how, record })]);
      return Response.json(batch.map(() => ({ messageId: "m2" })));
    };
    const { id } = await start();
    await tick();
    await tick();
    expect(await show(id)).toMatchObject({ state: "done", progress: { published: 1, failed_again: 1, delivered: 0 } });
    expect((await get(`/api/dead-letters/${eventId(1)}`)).json).toMatchObject({
      state: "open",
      reason: "http_422",
      history: [{ reason: "http_503" }],
    });
  });

  it("holds back at the last moment what left the window while it waited", async () => {
    await deadLetterObject().park([letter(1, { firstAttemptAtMs: Date.now() - 3_600_000 })]);
    const sql = (text: string) =>
      runInDurableObject(deadLetterObject(), (_, { storage }) => void storage.sql.exec(text));
    // Before the alarm, which is due at once.
    await sql("CREATE TRIGGER leaves AFTER INSERT ON items BEGIN UPDATE items SET safe_until = 1; END");
    const { id, plan } = await start({ accept_duplicates: false });
    await sql("DROP TRIGGER leaves");
    expect(plan.send).toBe(1);
    await tick();
    expect(qstash.batches).toEqual([]);
    expect(await show(id)).toMatchObject({ state: "done", receipt: { skip_reasons: { needs_accept_duplicates: 1 } } });
  });

  it("that was cancelled in the middle of a publish knows what was on its way", async () => {
    await park(...range(12));
    qstash.answer = async (batch) => {
      await replays(workerEnv).controlReplay(replayOf(batch), "cancel", "ann");
      return new Error("lost");
    };
    const { id } = await start();
    await tick();
    qstash.answer = undefined;
    await tick();
    const { progress } = await show(id);
    expect(progress).toMatchObject({ total: 12, published: 10, skipped: 2 });
  });

  it("whose planning never ended is taken back at the next start", async () => {
    await park(1, 2);
    await runInDurableObject(deadLetterObject(), (_, { storage }) => {
      storage.sql.exec(
        "INSERT INTO replays (id, state, request, requested_by, created_at, due_at) VALUES ('rp_orphan', 'planning', '{}', 'admin', 0, 0)",
      );
      storage.sql.exec(
        "INSERT INTO items (replay, event_id, n, outcome) SELECT seq, ?, 1, 'pending' FROM replays",
        eventId(1),
      );
      storage.sql.exec(
        "UPDATE dead_letters SET state = 'replaying', replay_id = 'rp_orphan' WHERE event_id = ?",
        eventId(1),
      );
    });
    expect((await get("/api/replays/rp_orphan")).status).toBe(404);
    await abortAllDurableObjects();
    expect((await get("/api/dead-letters?state=open")).json.dead_letters).toHaveLength(2);
    expect((await start({ dry_run: true })).plan).toMatchObject({ send: 2, skip: 0 });
  });
});

describe("two replays at once", () => {
  it("never send the same dead letter", async () => {
    await park(...range(6));
    const [one, two] = await Promise.all([start(), start()]);
    expect(one.plan.send + two.plan.send).toBe(6);
    await tick();
    const ids = qstash.batches.flat().map((message) => message.id);
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("wrong use of a replay's routes", () => {
  it.each([
    ["GET", "/api/replays/rp_none", 404, "not_found"],
    ["GET", "/api/replays/rp_none/items", 404, "not_found"],
    ["POST", "/api/replays/rp_none/pause", 404, "not_found"],
    ["GET", "/api/replays?limit=101", 400, "invalid_request"],
    ["GET", "/api/replays?page=2", 400, "invalid_request"],
    ["GET", "/api/replays?cursor=x", 400, "invalid_request"],
    ["GET", "/api/replays/rp_none/items?outcome=lost", 400, "invalid_request"],
    ["GET", "/api/replays/rp_none/items?limit=0", 400, "invalid_request"],
  ] as const)("%s %s", async (method, path, status, code) => {
    const answer = method === "GET" ? await get(path) : await post(path);
    expect({ status: answer.status, code: answer.json.code }).toEqual({ status, code });
  });

  it.each([
    ["done", "pause"],
    ["done", "resume"],
    ["done", "cancel"],
    ["settling", "cancel"],
    ["settling", "pause"],
    ["running", "resume_is_no_mistake"],
  ] as const)("in state %s: %s", async (state, verb) => {
    await park(1);
    // Its alarm, which is due at once, must not move it on.
    qstash.answer = () => new Error("down");
    const { id } = await start();
    await runInDurableObject(
      deadLetterObject(),
      (_, { storage }) => void storage.sql.exec("UPDATE replays SET state = ?", state),
    );
    const answer = await post(`/api/replays/${id}/${verb === "resume_is_no_mistake" ? "resume" : verb}`);
    expect(answer.status).toBe(verb === "resume_is_no_mistake" ? 200 : 409);
  });
});
