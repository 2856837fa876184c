/** What the evidence takes: sealing a quarter, checking a million events offline, and the size of an auditor's pack. */
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { quantile } from "simple-statistics";
import { writePack } from "../../cli/evidence/pack.ts";
import type { VerifyOptions } from "../../verifier/verify.mjs";
import type { Goal, Part, PartReport, RunContext } from "../report/part.ts";
import { count, megabytes, seconds } from "../report/quantities.ts";
import { EVENTS_PER_QUARTER, makeEvidence, type MadeEvidence, ORGANIZATIONS } from "./sealed-evidence.ts";

export const part: Part = { name: "evidence", title: "Evidence: sealing, checking and packing", run };

/** Quarters of 10,000 events: the second is ten times the first, so that memory can be compared. */
const QUARTERS = [10, 100] as const;
/** Those of the contract for a million events. */
const CPU_MAX_MS = 120_000;
const WALL_MAX_MS = 60_000;
const GROWTH_MAX_BYTES = 250e6;

interface Checked {
  readonly ok: boolean;
  readonly events: number;
  readonly found: number;
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly mostMegabytes: number;
}

interface Packed {
  readonly events: number;
  readonly bytes: number;
  readonly exportBytes: number;
  readonly wallMs: number;
}

export interface Measured {
  readonly checks: readonly [small: Checked, large: Checked];
  readonly pack: Packed;
  readonly sealMs: readonly number[];
}

async function run({ quick, step }: RunContext): Promise<PartReport> {
  const under = await mkdtemp(join(tmpdir(), "audit-forwarder-bench-"));
  try {
    const [small, large] = QUARTERS.map((quarters) => (quick ? quarters / 10 : quarters)) as [number, number];
    const total = small + large + 3;
    const few = await makeEvidence(join(under, "few"), small, (done) => step("sealing", done, total));
    const first = await check(few);
    const many = await makeEvidence(join(under, "many"), large, (done) => step("sealing", small + done, total));
    step("checking", small + large + 1, total);
    const checks = [first, await check(many)] as const;
    step("packing", small + large + 2, total);
    return report({ checks, pack: await pack(many, join(under, "pack.zip")), sealMs: many.sealMs });
  } finally {
    await rm(under, { recursive: true, force: true });
  }
}

async function check({ folder, key, exports }: MadeEvidence): Promise<Checked> {
  const options: VerifyOptions = { evidence: folder, key, exports };
  const script = fileURLToPath(new URL("check.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [script, JSON.stringify(options)]);
  return JSON.parse(stdout) as Checked;
}

/** Packs the first organization. Its export comes over HTTP, as that of WorkOS does. */
async function pack({ folder, key, exports, since, until }: MadeEvidence, out: string): Promise<Packed> {
  const [organization = ""] = ORGANIZATIONS;
  const [path = ""] = exports;
  const server = createServer((_, response) => createReadStream(path).pipe(response)).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    const startedAtMs = performance.now();
    const { events } = await writePack(
      {
        file: (name) => readFile(join(folder, name)).catch(() => undefined),
        workos: {
          post: () => Promise.resolve({ id: "export", state: "pending" }),
          get: () => Promise.resolve({ id: "export", state: "ready", url }),
        },
        deadLetters: () => Promise.resolve([]),
        operators: () => Promise.resolve([]),
        verifier: await readFile(new URL("../../verifier/verify.mjs", import.meta.url), "utf8"),
      },
      { organization, since, until, key, coverage: "", out },
    );
    const wallMs = performance.now() - startedAtMs;
    return { events, wallMs, bytes: (await stat(out)).size, exportBytes: (await stat(path)).size };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

/** Makes the report of what was measured. */
export function report({ checks, pack: packed, sealMs }: Measured): PartReport {
  const [small, large] = checks;
  const growthBytes = (large.mostMegabytes - small.mostMegabytes) * 1e6;
  const isWhole = checks.every(({ ok, events, found }) => ok && found === events);
  const name = `check of ${count(large.events)} events`;
  const goalOf = (what: string, value: number, most: number, show: (value: number) => string): Goal => ({
    name: what,
    goal: `≤ ${show(most)}`,
    figure: isWhole ? show(value) : `${show(value)}, NOT ok`,
    met: isWhole && value <= most,
  });
  return {
    goals: [
      goalOf(`CPU, ${name}`, large.cpuMs, CPU_MAX_MS, seconds),
      goalOf(`time, ${name}`, large.wallMs, WALL_MAX_MS, seconds),
      goalOf(`memory beyond a check of ${count(small.events)} events`, growthBytes, GROWTH_MAX_BYTES, megabytes),
    ],
    tables: [
      {
        title: "An offline check against exports of ten organizations",
        head: ["events", "time", "CPU", "most memory"],
        rows: checks.map((one) => [
          count(one.events),
          seconds(one.wallMs),
          seconds(one.cpuMs),
          megabytes(one.mostMegabytes * 1e6),
        ]),
      },
      {
        title: "A pack of one organization, its export in it",
        head: ["events", "time", "pack", "bytes an event", "its export alone"],
        rows: [
          [
            count(packed.events),
            seconds(packed.wallMs),
            megabytes(packed.bytes),
            (packed.bytes / packed.events).toFixed(0),
            megabytes(packed.exportBytes),
          ],
        ],
      },
      {
        title: `Sealing a quarter of an hour with ${count(EVENTS_PER_QUARTER)} events`,
        head: ["quarters", "p50 ms", "p99 ms"],
        rows: [[String(sealMs.length), ...[0.5, 0.99].map((q) => quantile([...sealMs], q).toFixed(0))]],
      },
    ],
    notes: NOTES,
    data: { checks, pack: packed, sealMs },
  };
}

const NOTES = [
  "The worker's own code seals the evidence in this process. It uses one shard whose events are in memory, and a folder " +
    "instead of the bucket, so the time to seal includes neither the ledger's shards nor R2. After the delivery of an " +
    "event, at most 15 minutes pass until the quarter ends, and at most 5 more until the next run of the cron seals it. " +
    "The verifier runs in its own process. Its memory is its largest resident set. The pack's export comes from a server " +
    "on this machine. Events differ in ids, times and a few numbers, so a real export may compress less.",
];
