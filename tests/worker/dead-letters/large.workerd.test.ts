/** 100,000 dead letters in the real Durable Object. The figures are printed; the bounds are those that are promised. */
import { beforeAll, expect, it, vi } from "vitest";
import { runInDurableObject } from "cloudflare:test";
import { ledgerPort } from "../../../worker/ledger/client.ts";
import { get, post, deadLetterObject, workerEnv } from "../support/api.workerd.ts";
import { eventId, letter, CAPTURED_MS } from "../support/letters.ts";

const COUNT = 100_000;
const CHUNK = 5_000;
/** Longest time of the filling on an idle machine; measured: 2.9 s on two cores. */
const FILL_MS = 5_000;
/** A typical event has about this many bytes. */
const BODY = "x".repeat(700);

beforeAll(() => {
  vi.spyOn(globalThis, "fetch").mockImplementation(() => Promise.resolve(new Response(null, { status: 503 })));
});

it("lists a page within a second and plans a replay within five", { timeout: 300_000 }, async () => {
  const fill = await timed(async () => {
    for (let start = 0; start < COUNT; start += CHUNK)
      await deadLetterObject().park(Array.from({ length: CHUNK }, (_, index) => varied(start + index)));
  });
  const ledger = await timed(async () => {
    for (let start = 0; start < COUNT; start += CHUNK) await attempted(start);
  });
  const cases: [string, () => Promise<{ status: number }>, number?][] = [
    ["first page", () => get("/api/dead-letters?limit=100"), 1_000],
    ["page of a rare action", () => get("/api/dead-letters?action=rare.action"), 1_000],
    ["page of a filter that finds nothing", () => get("/api/dead-letters?organization=none&class=rejected"), 1_000],
    ["page of 500", () => get("/api/dead-letters?limit=500"), 1_000],
    ["counts by organization", () => get("/api/dead-letters?group_by=organization"), 1_000],
    ["plan of all", () => post("/api/replays", { all: true, dry_run: true, accept_duplicates: true }), 5_000],
    [
      "plan of all, mended",
      () =>
        post("/api/replays", {
          all: true,
          dry_run: true,
          accept_duplicates: true,
          map: { action: { "user.created": "user.added" } },
        }),
    ],
    ["start of a replay of all", () => post("/api/replays", { all: true, accept_duplicates: true, rate: 0.1 })],
  ];
  // Where other processes have the machine, the filling is late as well, and the promises are for a machine of one's own.
  const busy = Math.max(1, fill.ms / FILL_MS);
  const lines = [`fill: ${fill.ms} ms, ledger: ${ledger.ms} ms`];
  for (const [name, run, boundMs = Infinity] of cases) {
    let { value, ms } = await timed(run);
    lines.push(`${name}: ${ms} ms`);
    expect(value.status, name).toBeLessThan(300);
    // The promise is what the machine can do; a look at a moment in which others had it says nothing of that.
    for (let look = 1; look < 5 && ms >= boundMs * busy; look++) ({ value, ms } = await timed(run));
    expect(ms, name).toBeLessThan(boundMs * busy);
  }
  await runInDurableObject(
    deadLetterObject(),
    (_, { storage }) => void lines.push(`database: ${Math.round(storage.sql.databaseSize / 1e6)} MB`),
  );
  console.log(lines.join("\n"));
  const last = await get("/api/dead-letters?limit=1");
  expect(last.json.dead_letters[0].state).toBe("replaying");
  expect(last.json.dead_letters[0].event_id).toBe(eventId(COUNT - 1));
});

/** One attempt of each record in the ledger, as after an outage. */
async function attempted(start: number): Promise<void> {
  const port = ledgerPort(workerEnv);
  const ids = Array.from({ length: CHUNK }, (_, index) => eventId(start + index));
  const claims = ids.map((id) => ({ id, stage: "outcome" as const, body: BODY, occurredAtMs: CAPTURED_MS }));
  await port.claim("lease", claims, CAPTURED_MS);
  const attempt = {
    atMs: CAPTURED_MS,
    durationMs: 80,
    outcome: "retry",
    wrote: "maybe",
    status: 503,
    reason: "http_503",
  } as const;
  const settlements = ids.map((id) => ({ id, attempt }));
  await port.settle("lease", settlements, CAPTURED_MS);
}

function varied(number: number) {
  const action = number % 50_000 === 7 ? "rare.action" : number % 3 === 0 ? "user.created" : "user.deleted";
  return letter(
    number,
    { reason: `http_50${number % 4}` },
    { action, organization: `org_${number % 300}`, metadata: { plan: "pro", region: "eu-west-1", seats: number } },
  );
}

async function timed<T>(run: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const start = performance.now();
  const value = await run();
  return { value, ms: Math.round(performance.now() - start) };
}
