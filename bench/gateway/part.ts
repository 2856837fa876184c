/** Response latency at the real local gateway: no policy, ours, and the peers, with the sinks healthy, slow and hung. */
import { startGateway } from "../../dev/gateway/start.ts";
import { AuditError } from "../../shared/errors.ts";
import { workerdProcesses } from "../process-cpu.ts";
import type { Goal, Part, PartReport, RunContext, Table } from "../report/part.ts";
import { type Sink, type SinkCounts, SLOW_MS, type SinkMode, startSink } from "../sink.ts";
import { type Estimate, estimate, overlaps, pooled, times } from "../stats/summary.ts";
import { measureRound, PATIENCE_MS, type Round, type RoundOptions } from "./measure.ts";
import { environmentOf, projectFiles, type Subject, SUBJECT_TITLES, SUBJECTS } from "./project.ts";

export const part: Part = { name: "gateway", title: "Response latency at the real gateway", run };

interface Scene {
  readonly name: string;
  readonly mode: SinkMode;
  readonly gapMs: number;
}

/** Between two requests of one caller; a gateway under 200 requests a second rests as long. */
const GAP_MS = 5;
const SCENES: readonly Scene[] = [
  { name: "sinks healthy", mode: "healthy", gapMs: GAP_MS },
  { name: "sinks slow", mode: "slow", gapMs: GAP_MS },
  { name: "sinks hung", mode: "hung", gapMs: GAP_MS },
  { name: "sinks healthy, back to back", mode: "healthy", gapMs: 0 },
];
const WARM_UP: Scene = { name: "warming up", mode: "healthy", gapMs: 0 };
/** So that the first scene does not pay for the compiler. Our choice. */
const WARM_UP_ROUNDS = 6;
/** Those whose callers wait for a sink, so that fewer requests must do. */
const WAITS: ReadonlySet<Subject> = new Set(["documented", "durable"]);

interface SceneResult extends Scene {
  readonly rounds: readonly Round[];
  readonly counts: SinkCounts;
}

async function run({ quick, step }: RunContext): Promise<PartReport> {
  const rounds = quick ? 2 : 12;
  const total = rounds * SCENES.length + 1;
  step("starting the gateway", 0, total);
  const sink = await startSink();
  const gateway = await startGateway({ env: environmentOf(sink.url), files: await projectFiles() });
  try {
    const pids = await workerdProcesses();
    const optionsOf = ({ mode, gapMs }: Scene): RoundOptions => ({
      pids,
      gapMs,
      restMs: (subject) => restOf(mode, subject, quick),
      requests: (subject) => requestsOf(mode, subject, quick),
    });
    step("warming up", 1, total);
    for (let round = 0; round < WARM_UP_ROUNDS; round++) await measureRound(gateway.url, optionsOf(WARM_UP));
    const results: SceneResult[] = [];
    for (const [index, scene] of SCENES.entries()) {
      const done = (round: number) => step(scene.name, 1 + index * rounds + round, total);
      results.push(await measureScene(gateway.url, sink, scene, rounds, optionsOf(scene), done));
    }
    return report(results);
  } catch (cause) {
    const last = gateway.logs().trim().split("\n").slice(-5).join(" | ");
    throw new AuditError("unavailable", `the gateway does not answer any more; it wrote last: ${last}`, { cause });
  } finally {
    await gateway.stop();
    await sink.stop();
  }
}

function requestsOf(mode: SinkMode, subject: Subject, quick: boolean): number {
  if (mode === "healthy" || !WAITS.has(subject)) return quick ? 30 : 150;
  return mode === "slow" ? 4 : 1;
}

/**
 * Long enough for what a block leaves behind, so that it falls on no other route: where sinks hang, our records are kept for
 * `holdMs` and may then be on their way for `timeoutMs` on each path (15 s and twice 3 s).
 */
function restOf(mode: SinkMode, subject: Subject, quick: boolean): number {
  if (mode === "hung" && subject === "ours" && !quick) return 22_000;
  return mode === "slow" ? 2 * SLOW_MS : SLOW_MS;
}

async function measureScene(
  url: string,
  sink: Sink,
  scene: Scene,
  count: number,
  options: RoundOptions,
  done: (round: number) => void,
): Promise<SceneResult> {
  await sink.setMode(scene.mode);
  const before = await sink.counts();
  const rounds: Round[] = [];
  for (let i = 0; i < count; i++) {
    rounds.push(await measureRound(url, options));
    done(i + 1);
  }
  const after = await sink.counts();
  const counts = { queue: 0, workos: 0, zuplo: 0, spill: 0 };
  for (const name of ["queue", "workos", "zuplo", "spill"] as const) counts[name] = after[name] - before[name];
  return { ...scene, rounds, counts };
}

/** A quantile of a subject over that of another, paired by rounds. */
function ratioOf(rounds: readonly Round[], subject: Subject, to: Subject, q: number): Estimate {
  return estimate(rounds, (some) => quantileOf(some, subject, q) / quantileOf(some, to, q));
}

function quantileOf(rounds: readonly Round[], subject: Subject, q: number): number {
  return pooled(
    rounds.map((round) => round[subject].latenciesMs),
    q,
  );
}

function report(results: readonly SceneResult[]): PartReport {
  return {
    goals: results.flatMap(goalsOf),
    tables: results.map(tableOf),
    notes: [...NOTES, arrivals(results)],
    data: results.map(({ name, gapMs, rounds, counts }) => ({
      name,
      gapMs,
      counts,
      subjects: Object.fromEntries(SUBJECTS.map((subject) => [subject, figuresOf(rounds, subject)])),
    })),
  };
}

function figuresOf(rounds: readonly Round[], subject: Subject) {
  const blocks = rounds.map((round) => round[subject]);
  const requests = blocks.flatMap(({ latenciesMs }) => latenciesMs).length;
  const add = (field: "failed" | "gaveUp" | "cpuMicros") => blocks.reduce((sum, block) => sum + block[field], 0);
  return {
    requests,
    failed: add("failed"),
    gaveUp: add("gaveUp"),
    p50Ms: quantileOf(rounds, subject, 0.5),
    p99Ms: quantileOf(rounds, subject, 0.99),
    p50Ratio: ratioOf(rounds, subject, "none", 0.5),
    p99Ratio: ratioOf(rounds, subject, "none", 0.99),
    cpuMicrosPerRequest: add("cpuMicros") / requests,
  };
}

function tableOf({ mode, gapMs, rounds }: SceneResult): Table {
  const rows = SUBJECTS.map((subject) => {
    const { requests, failed, gaveUp, p50Ms, p99Ms, p50Ratio, p99Ratio, cpuMicrosPerRequest } = figuresOf(
      rounds,
      subject,
    );
    return [
      SUBJECT_TITLES[subject],
      String(requests),
      latency(p50Ms),
      latency(p99Ms),
      times(p50Ratio),
      times(p99Ratio),
      String(failed),
      String(gaveUp),
      cpuMicrosPerRequest.toFixed(0),
    ];
  });
  const head = ["route", "requests", "p50 ms", "p99 ms", "p50 to none", "p99 to none", "not 200", "gave up", "CPU µs"];
  const pace = gapMs > 0 ? `${gapMs} ms between requests` : "the next request follows at once";
  return { title: `${TITLES[mode]}, ${pace}`, head, rows };
}

function latency(ms: number): string {
  return ms >= PATIENCE_MS ? `> ${PATIENCE_MS}` : ms.toFixed(2);
}

const TITLES: Readonly<Record<SinkMode, string>> = {
  healthy: "Sinks healthy",
  slow: `Sinks slow (${SLOW_MS} ms)`,
  hung: "Sinks hung",
};

function goalsOf({ name: scene, rounds }: SceneResult): readonly Goal[] {
  return [
    ["p50", 0.5],
    ["p99", 0.99],
  ].flatMap(([name, quantile]) => {
    const q = Number(quantile);
    const ours = ratioOf(rounds, "ours", "none", q);
    const control = ratioOf(rounds, "control", "none", q);
    const zuplo = ratioOf(rounds, "ours", "zuplo", q);
    return [
      {
        name: `${name} of ours to no policy, ${scene}`,
        goal: `within noise: control ${times(control)}`,
        figure: times(ours),
        met: ours.value <= control.value || overlaps(ours, control),
      },
      {
        name: `${name} of ours to Zuplo's own, ${scene}`,
        goal: "≤ 1, or 1 within the interval",
        figure: times(zuplo),
        met: zuplo.low <= 1,
      },
    ];
  });
}

function arrivals(results: readonly SceneResult[]): string {
  const lines = results.map(({ name, rounds, counts }) => {
    const sent = (subject: Subject) => rounds.reduce((sum, round) => sum + round[subject].latenciesMs.length, 0);
    return (
      `${name}: ours ${counts.queue} on the queue and ${counts.spill} on the spill (tries included) of ` +
      `${sent("ours") + sent("durable")} requests, documented ${counts.workos} of ${sent("documented")}, Zuplo's own ${counts.zuplo} of ${sent("zuplo")}`
    );
  });
  return `Records that reached the sinks: ${lines.join("; ")}.`;
}

const NOTES = [
  "One gateway (`zuplo dev`) has one route for each row: a POST with a JSON body, an authentication policy that sets the user, and a handler " +
    "that answers at once. In each round, every route gets a block of requests over one connection, one request at a time. Each round " +
    "draws a new order of the routes. The gateway rests before the next block. After a block of this policy with hanging sinks it rests for " +
    `22 s, because the policy keeps trying for that long. ${GAP_MS} ms pass between two requests, so that a measurement does not include the ` +
    "work that follows the previous response. The last table has no such gap, so that work delays the next request. `control` is a " +
    "second route without any policy; its difference is noise. CPU is the CPU time of the whole gateway process per request, including " +
    "the work after the response.",
  `A caller gives up after ${PATIENCE_MS} ms. The sinks run on the same machine. Healthy sinks answer at once, which favours a policy that ` +
    "waits for them. The documented policy and `durable` get fewer requests if sinks are slow or hang, because each request takes that " +
    "long. `durable` waits by design, for at most `budgetMs` (500 ms).",
];
