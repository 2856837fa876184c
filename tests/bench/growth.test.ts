import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { fillLedger } from "../../bench/growth/ledger-rows.ts";
import { fillLetters, rareCount } from "../../bench/growth/letters.ts";
import { ADMIN_TOKEN } from "../../bench/worker/scripts.ts";
import { filesOf, startWorkers } from "../../bench/growth/worker.ts";
import { makeSamples } from "../../bench/growth/samples.ts";
import { CALLS } from "../../bench/growth/operator-calls.ts";
import { type Measured, report } from "../../bench/growth/report.ts";

describe("the filled databases", () => {
  const stateDir = mkdtempSync(join(tmpdir(), "bench-growth-"));
  afterAll(() => rmSync(stateDir, { recursive: true, force: true }));

  it("are those of the worker's own objects in workerd", async () => {
    const samples = await makeSamples();
    const { shards } = filesOf(stateDir, "rows");
    await fillLedger(shards, 64 * 400, samples, Date.now());
    await fillLetters(filesOf(stateDir, "letters"), 640, samples, Date.now());
    const workers = await startWorkers(["rows", "letters"], stateDir, "http://127.0.0.1:9");
    try {
      const [rows = "", letters = ""] = workers.urls;
      const metrics = await get(`${rows}/metrics`);
      const sizes = [...metrics.matchAll(/^audit_storage_bytes\{object="ledger",.*\} (\d+)$/gm)].map(([, n]) =>
        Number(n),
      );
      expect(sizes).toHaveLength(64);
      // An empty one has about 45 kB.
      expect(Math.min(...sizes)).toBeGreaterThan(90_000);
      const list = JSON.parse(await get(`${letters}/api/dead-letters?limit=500`)) as Letters;
      expect(list.dead_letters).toHaveLength(500);
      const refused = { state: "dead_letter", attempts: [{ outcome: "reject" }] };
      const [newest, oldest] = [list.dead_letters[0], list.dead_letters.at(-1)];
      for (const { event_id: id } of [newest, oldest].flatMap((letter) => letter ?? []))
        expect(JSON.parse(await get(`${letters}/api/events/${id}`))).toMatchObject(refused);
    } finally {
      await workers.stop();
    }
  });
});

it("counts the dead letters of the rare action", () => {
  expect([0, 6, 7, 50_006, 50_007, 1_000_000].map(rareCount)).toEqual([0, 0, 1, 1, 2, 20]);
});

describe("report", () => {
  const delivery = (cpuMicrosPerEvent: number, ms: number) => ({ cpuMicrosPerEvent, latenciesMs: [ms, ms] });
  const measured = (cpu: number, ms: number, call: { ms: number; cpuMs: number }): Measured => ({
    ledgers: [
      { rows: 0, bytes: 0 },
      { rows: 1_000, bytes: 184_000 },
    ],
    deliveryRounds: [1, 2].map(
      () =>
        new Map([
          ["0/1", delivery(100, 5)],
          ["1000/1", delivery(cpu, ms)],
          ["0/20", delivery(100, 5)],
          ["1000/20", delivery(100, 5)],
        ]),
    ),
    letters: [{ letters: 10, deadLetterBytes: 1e6, ledgerBytes: 2e6 }],
    callRounds: [new Map(CALLS.map(({ name }) => [`10/${name}`, call]))],
  });
  const missed = (of: Measured) =>
    report(of)
      .goals.filter(({ met }) => !met)
      .map(({ name }) => name);

  it("holds the largest ledger to the smallest, by CPU and by time", () => {
    const fast = { ms: 1_000, cpuMs: 30_000 };
    expect(missed(measured(120, 6, fast))).toEqual([]);
    expect(missed(measured(121, 6, fast))).toEqual([
      "CPU of a delivered event, 1 in a message, 1,000 rows beside none",
    ]);
    expect(missed(measured(120, 6.1, fast))).toEqual(["p50 of a delivery, 1 in a message, 1,000 rows beside none"]);
  });

  it("holds lists to their time and plans to their CPU", () => {
    const slow = missed(measured(100, 5, { ms: 1_001, cpuMs: 30_000 }));
    const costly = missed(measured(100, 5, { ms: 1_000, cpuMs: 30_001 }));
    expect(slow).toEqual(listed("listing").map((name) => `${name}, 10 dead letters: time`));
    expect(costly).toEqual(listed("plan").map((name) => `${name}, 10 dead letters: CPU of all objects`));
  });

  it("shows the size on disk of each row", () => {
    const sizes = report(measured(100, 5, { ms: 1, cpuMs: 1 })).tables.at(-1)?.rows;
    expect(sizes).toEqual([
      ["1,000 delivered events", "0.2 MB", "", "184"],
      ["10 dead letters", "2.0 MB", "1.0 MB", "300000"],
    ]);
  });
});

interface Letters {
  readonly dead_letters: readonly { readonly event_id: string }[];
}

async function get(url: string): Promise<string> {
  const response = await fetch(url, { headers: { authorization: `Bearer ${ADMIN_TOKEN}` } });
  return response.text();
}

function listed(kind: string): readonly string[] {
  return CALLS.filter((call) => call.kind === kind).map(({ name }) => name);
}
