/** What a large ledger and many dead letters cost: deliveries beside 10 million rows, lists and plans of a million dead letters. */
import { rmSync } from "node:fs";
import { mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { shuffle } from "simple-statistics";
import { AuditError } from "../../shared/errors.ts";
import type { AuditRecord } from "../../shared/record.ts";
import type { Part, PartReport, RunContext } from "../report/part.ts";
import { type Sink, startSink } from "../sink.ts";
import type { Workerd } from "../workerd.ts";
import { type DeliveryRound, measureDeliveries } from "./deliveries.ts";
import { fillLedger } from "./ledger-rows.ts";
import { fillLetters } from "./letters.ts";
import { type CallCost, CALLS, measureCall } from "./operator-calls.ts";
import { type LedgerSize, type LettersSize, MESSAGE_SIZES, report } from "./report.ts";
import { makeSamples } from "./samples.ts";
import { bytesOf, filesOf, startWorkers } from "./worker.ts";

export const part: Part = { name: "growth", title: "A large ledger and many dead letters", run };

const LEDGER_ROWS = [0, 1_000_000, 10_000_000] as const;
const LETTERS = [0, 100_000, 1_000_000] as const;
/** Of each row in each round; 2.5 s at the default rate. */
const EVENTS = 200;
const ROUNDS = 10;
const CALL_ROUNDS = 3;
/** They do not count: compilers and caches are cold. */
const WARM_UP_ROUNDS = 2;
/** A million dead letters with their ledger and the plans of all rounds, by the sizes of a tenth; and half as much again. */
const NEEDED_BYTES = 4.5e9;

/** What both halves of the part use. */
interface Bench {
  readonly stateDir: string;
  readonly samples: readonly AuditRecord[];
  readonly sink: Sink;
  readonly quick: boolean;
  readonly step: (label: string) => void;
}

async function run({ quick, step }: RunContext): Promise<PartReport> {
  const scale = quick ? 10 : 1;
  const rounds = quick ? 1 : ROUNDS;
  const callRounds = quick ? 1 : CALL_ROUNDS;
  const total = LEDGER_ROWS.length + WARM_UP_ROUNDS + rounds + LETTERS.length + 1 + callRounds;
  let done = 0;
  const stateDir = await mkdtemp(join(tmpdir(), "bench-growth-"));
  // Gigabytes would be left behind by a bench that is interrupted.
  const clear = () => rmSync(stateDir, { recursive: true, force: true });
  process.once("exit", clear);
  const sink = await startSink();
  try {
    await refuseFullDisk(stateDir, NEEDED_BYTES / scale);
    const bench: Bench = {
      stateDir,
      samples: await makeSamples(),
      sink,
      quick,
      step: (label) => step(label, done++, total),
    };
    const ledgers = LEDGER_ROWS.map((rows) => rows / scale);
    const deliveries = await withLedgers(bench, ledgers, rounds);
    const counts = LETTERS.map((letters) => letters / scale);
    const calls = await withLetters(bench, counts, callRounds);
    step("done", total, total);
    return report({ ...deliveries, ...calls });
  } finally {
    await sink.stop();
    await rm(stateDir, { recursive: true, force: true });
    process.off("exit", clear);
  }
}

async function refuseFullDisk(folder: string, neededBytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= neededBytes) return;
  const gigabytes = (neededBytes / 1e9).toFixed(1);
  throw new AuditError("unavailable", `the part needs ${gigabytes} GB in "${dirname(folder)}"; set "TMPDIR"`);
}

/** Rounds of deliveries, one worker for each number of rows; in each round every worker has its turn, in an order drawn anew. */
async function withLedgers(bench: Bench, rows: readonly number[], rounds: number) {
  const ledgers: LedgerSize[] = [];
  for (const count of rows) {
    bench.step(`filling the ledger with ${count} rows`);
    const { shards } = filesOf(bench.stateDir, nameOf("rows", count));
    await fillLedger(shards, count, bench.samples, Date.now());
    ledgers.push({ rows: count, bytes: await bytesOf(shards) });
  }
  const subjects = rows.flatMap((count) => MESSAGE_SIZES.map((records) => ({ rows: count, records })));
  const measured = await withWorkers(bench, "rows", rows, (targets) =>
    roundsOf(WARM_UP_ROUNDS, rounds, async (label) => {
      bench.step(label);
      const round = new Map<string, DeliveryRound>();
      for (const { rows: count, records } of shuffle(subjects)) {
        const load = { events: EVENTS, records };
        round.set(`${count}/${records}`, await measureDeliveries(targets(count), bench.sink, bench.samples, load));
      }
      return round;
    }),
  );
  return { ledgers, deliveryRounds: measured };
}

/** Rounds of calls, one worker for each number of dead letters. */
async function withLetters(bench: Bench, counts: readonly number[], rounds: number) {
  const letters: LettersSize[] = [];
  for (const count of counts) {
    bench.step(`storing ${count} dead letters`);
    const files = filesOf(bench.stateDir, nameOf("letters", count));
    await fillLetters(files, count, bench.samples, Date.now());
    const [deadLetterBytes, ledgerBytes] = await Promise.all([bytesOf([files.letters]), bytesOf(files.shards)]);
    letters.push({ letters: count, deadLetterBytes, ledgerBytes });
  }
  const subjects = counts.flatMap((count) => CALLS.map((call) => ({ count, call })));
  const measured = await withWorkers(bench, "letters", counts, (targets) =>
    roundsOf(1, rounds, async (label) => {
      bench.step(label);
      const round = new Map<string, CallCost>();
      for (const { count, call } of shuffle(subjects))
        round.set(`${count}/${call.name}`, await measureCall(targets(count), call, count));
      return round;
    }),
  );
  return { letters, callRounds: measured };
}

/** Starts the workers of some sizes in one process, and removes their databases afterwards. */
async function withWorkers<Result>(
  { stateDir, sink }: Bench,
  prefix: string,
  counts: readonly number[],
  work: (targetOf: (count: number) => { readonly url: string; readonly pids: Workerd["pids"] }) => Promise<Result>,
): Promise<Result> {
  const names = counts.map((count) => nameOf(prefix, count));
  const { urls, pids, ...workerd } = await startWorkers(names, stateDir, sink.url);
  try {
    return await work((count) => ({ url: urls[counts.indexOf(count)] ?? "", pids }));
  } finally {
    await workerd.stop();
    await Promise.all(names.map((name) => rm(join(stateDir, name), { recursive: true, force: true })));
  }
}

async function roundsOf<Round>(
  warmUps: number,
  rounds: number,
  measure: (label: string) => Promise<Round>,
): Promise<readonly Round[]> {
  for (let round = 0; round < warmUps; round++) await measure("warming up");
  const measured: Round[] = [];
  for (let round = 0; round < rounds; round++) measured.push(await measure(`round ${round + 1} of ${rounds}`));
  return measured;
}

function nameOf(prefix: string, count: number): string {
  return `${prefix}${count}`;
}
