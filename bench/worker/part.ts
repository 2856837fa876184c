/** CPU of the worker for each event, beside the floor and beside a handler made of the official SDKs. */
import { mean } from "simple-statistics";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Goal, Part, PartReport, RunContext } from "../report/part.ts";
import { kilobytes } from "../report/quantities.ts";
import { startSink } from "../sink.ts";
import { type Estimate, estimate, times } from "../stats/summary.ts";
import { WORKLOAD_NOTE } from "../workload.ts";
import { startBareWorkerd } from "./bare-workerd.ts";
import { peerBundle, uploadGzipBytes } from "./bundles.ts";
import {
  type Bench,
  isPaced,
  measureRound,
  type Round,
  type RowSizes,
  type Subject,
  SUBJECTS,
  warmUp,
} from "./measure.ts";
import { type Handler, scriptOf } from "./scripts.ts";

export const part: Part = { name: "worker", title: "CPU of the worker for each event", run };

/** Of each row in each round. Rows at the default rate take four seconds each. */
const SIZES: RowSizes = { saturating: 2_000, paced: 320 };
const QUICK_SIZES: RowSizes = { saturating: 400, paced: 80 };
/** Rounds that do not count: a row of twenty has only a hundred messages in each, and code that is called so rarely stays slow for long. */
const WARM_UP_ROUNDS = 3;
const BUNDLE_MAX_GZIP_BYTES = 80_000;
/** A file system in memory, on Linux. */
const MEMORY_DIR = "/dev/shm";

async function run({ quick, step }: RunContext): Promise<PartReport> {
  const rounds = quick ? 2 : 9;
  const warmUps = quick ? 1 : WARM_UP_ROUNDS;
  const sizes = quick ? QUICK_SIZES : SIZES;
  const total = rounds + warmUps;
  step("bundling", 0, total);
  const sink = await startSink();
  const stops: (() => Promise<void>)[] = [() => sink.stop()];
  try {
    const bench = { sink, handlers: await startHandlers(sink.url, stops) };
    for (let round = 0; round < warmUps; round++) {
      step("warming up", round, total);
      await warmUp(bench, sizes.saturating);
    }
    const measured: Round[] = [];
    for (let round = 0; round < rounds; round++) {
      measured.push(await measureRound(bench, sizes));
      step("measuring", warmUps + round + 1, total);
    }
    return report(measured, await bundleSizes());
  } finally {
    for (const stop of stops.toReversed()) await stop();
  }
}

/** All in one process with its state in memory, and ours once more with its state on disk. */
async function startHandlers(sinkUrl: string, stops: (() => Promise<void>)[]): Promise<Bench["handlers"]> {
  const start = async (handlers: readonly Handler[], parent: string) => {
    const stateDir = await mkdtemp(join(parent, "bench-worker-"));
    stops.push(() => rm(stateDir, { recursive: true, force: true }));
    const scripts = await Promise.all(handlers.map((handler) => scriptOf(handler, sinkUrl)));
    const { urls, pids, ...workerd } = await startBareWorkerd(scripts, stateDir);
    stops.push(() => workerd.stop());
    return handlers.map((handler, index) => [handler, { url: urls[index] ?? "", pids }] as const);
  };
  const inMemory = existsSync(MEMORY_DIR) ? MEMORY_DIR : tmpdir();
  const started = [
    ...(await start(["floor", "calls", "sdk", "withoutLedger", "ours"], inMemory)),
    ...(await start(["oursOnDisk"], tmpdir())),
  ];
  return Object.fromEntries(started) as unknown as Bench["handlers"];
}

async function bundleSizes() {
  return {
    gzipBytes: await uploadGzipBytes(),
    sdkGzipBytes: gzipSync(await peerBundle("sdk", true)).byteLength,
  };
}

function ratio(rounds: readonly Round[], subject: Subject, to: Subject): Estimate {
  return estimate(rounds, (some) => mean(some.map((round) => round[subject])) / mean(some.map((round) => round[to])));
}

function report(rounds: readonly Round[], size: Awaited<ReturnType<typeof bundleSizes>>): PartReport {
  const figures = SUBJECTS.map((subject) => ({
    subject,
    micros: estimate(rounds, (some) => mean(some.map((round) => round[subject]))),
    toFloor: ratio(rounds, subject, isPaced(subject) ? "floor/1/paced" : "floor/1"),
  }));
  const table = {
    title: "CPU of workerd for each event",
    head: ["handler", "records in a message", "events/s", "CPU µs", "to the floor", "events/s on one core"],
    rows: figures.map(({ subject, micros, toFloor }) => {
      const [handler = "", records = ""] = subject.split("/");
      const { value, low, high } = micros;
      return [
        TITLES[handler] ?? handler,
        records,
        isPaced(subject) ? "80" : "as they are taken",
        `${value.toFixed(0)} (${low.toFixed(0)}–${high.toFixed(0)})`,
        times(toFloor),
        isPaced(subject) ? "" : (1e6 / value).toFixed(0),
      ];
    }),
  };
  return { goals: goalsOf(rounds, size), tables: [table], notes: [...NOTES, WORKLOAD_NOTE], data: { figures, size } };
}

const TITLES: Readonly<Record<string, string>> = {
  floor: "the floor",
  calls: "the outbound calls alone",
  sdk: "`Receiver` and `@workos-inc/node`",
  withoutLedger: "ours without the ledger's calls",
  ours: "ours",
  oursOnDisk: "ours, state on disk",
};

function goalsOf(rounds: readonly Round[], size: Awaited<ReturnType<typeof bundleSizes>>): readonly Goal[] {
  const faster = (to: Subject): Goal => {
    const found = ratio(rounds, to, "ours/20");
    const [, records] = to.split("/");
    return {
      name: `events/s on one core at 20 records, beside the SDKs at ${records}`,
      goal: "≥ 1.5 × theirs",
      figure: times(found),
      met: found.value >= 1.5,
    };
  };
  return [
    atMost("CPU for each event at 1 record, ledger included", 3, ratio(rounds, "ours/1", "floor/1")),
    atMost("the same with the ledger on this machine's disk", 3, ratio(rounds, "oursOnDisk/1", "floor/1")),
    atMost(
      "CPU for each event at 1 record, without the ledger's calls",
      1.5,
      ratio(rounds, "withoutLedger/1", "floor/1"),
    ),
    atMost("CPU for each event at 20 records, ledger included", 0.8, ratio(rounds, "ours/20", "floor/1")),
    atMost("the same with the ledger on this machine's disk", 0.8, ratio(rounds, "oursOnDisk/20", "floor/1")),
    atMost("the same, both at the default rate", 0.8, ratio(rounds, "ours/20/paced", "floor/1/paced")),
    faster("sdk/1"),
    faster("sdk/20"),
    {
      name: "worker bundle as it is uploaded, gzip",
      goal: `≤ ${BUNDLE_MAX_GZIP_BYTES / 1000} kB`,
      figure: `${kilobytes(size.gzipBytes)} (the SDK handler alone, minified: ${kilobytes(size.sdkGzipBytes)})`,
      met: size.gzipBytes <= BUNDLE_MAX_GZIP_BYTES,
    },
  ];
}

function atMost(name: string, max: number, found: Estimate): Goal {
  return { name, goal: `≤ ${max} × the floor`, figure: times(found), met: found.value <= max };
}

const NOTES = [
  "All handlers run in one bare workerd process, each behind its own socket, with ten connections and a sink on the same machine instead " +
    "of WorkOS. Miniflare is not used, because it puts its own worker before each outbound call. Logs are discarded. In each round, every " +
    `row delivers ${SIZES.saturating} events of its own (${SIZES.paced} at the default rate), in a new random order, and every event must arrive. ` +
    "CPU is the CPU time of the workerd process, including Durable Objects, read from outside. The floor checks the signature with " +
    "WebCrypto and forwards the body, which is already the event. It handles one event per message, and the rows with 20 are compared " +
    "with the same figure. The SDK handler gets whole events, as such a policy would send them. By default, Durable Objects keep their " +
    "state in a file system in memory, because writing to this machine's disk is the kernel's work, and Cloudflare stores elsewhere. The " +
    "rows with the state on disk include it. Our worker asks its monitor for its turn as always, and holds tokens for the next events, but no " +
    "turn takes tokens from the bucket here, because the floor and the SDK handler have no pace. Where several isolates share the " +
    "traffic, each asks for itself, so one event costs more. In the last rows, messages come at the default rate, at which each one wakes the " +
    "process. They are compared with the floor at the same rate. WorkOS accepts one event per request, so no handler with 20 records can cost less than the outbound calls alone, " +
    "five at a time and without any check.",
];
