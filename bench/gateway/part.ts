/** Response latency at the real local gateway: no policy, ours, and the peers, with the sinks healthy, slow and hung. */
import type { Goal, Part, PartReport, RunContext, Table } from "../report/part.ts";
import { type Sink, type SinkCounts, type SinkMode, SLOW_MS } from "../sink.ts";
import { times } from "../stats/summary.ts";
import { figuresOf, ratioOf, requestsTo, routeTable, noiseGoal } from "./figures.ts";
import { measureRound, PATIENCE_MS, type Round, type RoundOptions } from "./measure.ts";
import { callOf, projectFiles, type Subject, SUBJECT_TITLES, SUBJECTS } from "./project.ts";
import { withGateway } from "./session.ts";

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
/** Keeps the compiler's work out of the first scene. Our choice. */
const WARM_UP_ROUNDS = 6;
const ROUNDS = 10;
/** Fewer, because each takes half a minute. */
const HUNG_ROUNDS = 4;
/** Their callers wait for a sink, so they get fewer requests. */
const WAITS: ReadonlySet<Subject> = new Set(["documented", "durable"]);

interface SceneResult extends Scene {
  readonly rounds: readonly Round<Subject>[];
  readonly counts: SinkCounts;
}

async function run({ quick, step }: RunContext): Promise<PartReport> {
  const roundsOf = ({ mode }: Scene) => (quick ? 2 : mode === "hung" ? HUNG_ROUNDS : ROUNDS);
  const total = SCENES.reduce((sum, scene) => sum + roundsOf(scene), 1);
  step("starting the gateway", 0, total);
  return withGateway(await projectFiles(), async ({ url, sink, pids }) => {
    const optionsOf = ({ mode, gapMs }: Scene): RoundOptions<Subject> => ({
      pids,
      subjects: SUBJECTS,
      call: callOf,
      gapMs,
      restMs: (subject) => restOf(mode, subject, quick),
      requests: (subject) => requestsOf(mode, subject, quick),
    });
    let done = 1;
    step("warming up", done, total);
    for (let round = 0; round < WARM_UP_ROUNDS; round++) await measureRound(url, optionsOf(WARM_UP));
    const results: SceneResult[] = [];
    for (const scene of SCENES) {
      const onRound = () => step(scene.name, (done += 1), total);
      results.push(await measureScene(url, sink, scene, roundsOf(scene), optionsOf(scene), onRound));
    }
    return report(results);
  });
}

function requestsOf(mode: SinkMode, subject: Subject, quick: boolean): number {
  if (mode === "healthy" || !WAITS.has(subject)) return quick ? 30 : 150;
  return mode === "slow" ? 4 : 1;
}

/**
 * Long enough for the work that a block leaves behind. While sinks hang, our policy keeps records for `holdMs` (15 s) and then
 * waits up to `timeoutMs` (3 s) on each of its two paths.
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
  options: RoundOptions<Subject>,
  onRound: () => void,
): Promise<SceneResult> {
  await sink.setMode(scene.mode);
  const before = await sink.counts();
  const rounds: Round<Subject>[] = [];
  for (let i = 0; i < count; i++) {
    rounds.push(await measureRound(url, options));
    onRound();
  }
  const after = await sink.counts();
  const counts = { queue: 0, workos: 0, zuplo: 0, spill: 0 };
  for (const name of ["queue", "workos", "zuplo", "spill"] as const) counts[name] = after[name] - before[name];
  return { ...scene, rounds, counts };
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
      subjects: Object.fromEntries(SUBJECTS.map((subject) => [subject, figures(rounds, subject)])),
    })),
  };
}

function figures(rounds: readonly Round<Subject>[], subject: Subject) {
  return figuresOf(rounds, subject, "none");
}

function tableOf({ mode, gapMs, rounds }: SceneResult): Table {
  const pace = gapMs > 0 ? `${gapMs} ms between requests` : "the next request follows at once";
  return routeTable(
    `${TITLES[mode]}, ${pace}`,
    SUBJECTS.map((subject) => [SUBJECT_TITLES[subject], figures(rounds, subject)] as const),
  );
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
      noiseGoal(`${name} with our policy vs. no policy, ${scene}`, ours, control),
      {
        name: `${name} with our policy vs. Zuplo's own, ${scene}`,
        goal: "≤ 1, or 1 within the interval",
        figure: times(zuplo),
        met: zuplo.low <= 1,
      },
    ];
  });
}

function arrivals(results: readonly SceneResult[]): string {
  const lines = results.map(({ name, rounds, counts }) => {
    const sent = (subject: Subject) => requestsTo(rounds, subject);
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
    `22 s, because the policy keeps trying for that long; that table has ${HUNG_ROUNDS} rounds instead of ${ROUNDS}. ${GAP_MS} ms pass between two requests, so that a measurement does not include the ` +
    "work that follows the previous response. The last table has no such gap, so that work delays the next request. `control` is a " +
    "second route without any policy; its difference is noise. CPU is the CPU time of the whole gateway process per request, including " +
    "the work after the response.",
  `A caller gives up after ${PATIENCE_MS} ms. The sinks run on the same machine. Healthy sinks answer at once, which favours a policy that ` +
    "waits for them. The documented policy and `durable` get fewer requests if sinks are slow or hang, because each request takes that " +
    "long. `durable` waits by design, for at most `budgetMs` (500 ms).",
];
