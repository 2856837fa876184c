/** What happens in one schedule, drawn from its seed: the outage, the traffic, and what people and machines do meanwhile. */
import { Random } from "../random.ts";

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** How every request fails. `stored_500`, `lost`: WorkOS stores the event all the same. */
const FAILURES = ["500", "stored_500", "503", "429", "html", "reset", "timeout", "lost"] as const;
type Failure = (typeof FAILURES)[number];

/** How the failures lie in the time of the outage. `none`: there is no outage. */
const SHAPES = ["total", "total", "total", "every_second", "slow_death", "flapping", "none"] as const;
type Shape = (typeof SHAPES)[number];

/** An event of its own kind. `refused`: WorkOS says a definite no. `failing`: WorkOS answers 500 to it alone, for ever. */
export type Poison = "refused" | "failing" | undefined;

interface PlannedMessage {
  readonly atMs: number;
  readonly events: number;
  readonly poison: Poison;
}

interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

/** Times are ms since the start. */
export interface OutagePlan {
  readonly shape: Shape;
  readonly failure: Failure;
  readonly outage: Span;
  /** Of `flapping`: length of one state. */
  readonly flapMs: number;
  readonly messages: readonly PlannedMessage[];
  readonly operatorPause: Span | undefined;
  /** The operator pauses while this probe is under way, counted from 1, and resumes at `untilMs`. */
  readonly pauseAtProbe: { readonly probe: number; readonly untilMs: number } | undefined;
  /** The key is wrong; at the end it is mended and an operator resumes. */
  readonly wrongKey: Span | undefined;
  /** The monitor dies at these times. */
  readonly crashes: readonly number[];
  readonly ratePerSecond: number;
  readonly latencyMs: number;
}

/** The plan of a seed. */
export function planOf(seed: number): OutagePlan {
  return drawOutage(new Random(seed ^ 0x5eed));
}

function drawOutage(random: Random): OutagePlan {
  const shape = random.pick(SHAPES);
  const outageMs = random.pick([
    random.int(SECOND_MS, 2 * MINUTE_MS),
    random.int(MINUTE_MS, HOUR_MS),
    random.int(MINUTE_MS, HOUR_MS),
    random.int(HOUR_MS, 6 * HOUR_MS),
    ...(random.chance(0.1) ? [random.int(6 * HOUR_MS, 50 * HOUR_MS)] : []),
  ]);
  const fromMs = random.int(MINUTE_MS, 10 * MINUTE_MS);
  const outage = shape === "none" ? { fromMs, untilMs: fromMs } : { fromMs, untilMs: fromMs + outageMs };
  const endMs = outage.untilMs;
  const during = () => random.int(0, endMs);
  const spanFrom = (startMs: number): Span => ({ fromMs: startMs, untilMs: startMs + random.int(MINUTE_MS, HOUR_MS) });
  return {
    shape,
    failure: random.pick(FAILURES),
    outage,
    flapMs: random.pick([5 * SECOND_MS, 30 * SECOND_MS, random.int(MINUTE_MS, 4 * MINUTE_MS), 20 * MINUTE_MS]),
    messages: drawMessages(random, outage),
    operatorPause: random.chance(0.2) ? spanFrom(during()) : undefined,
    pauseAtProbe: random.chance(0.2)
      ? { probe: random.int(1, 3), untilMs: endMs + random.int(MINUTE_MS, HOUR_MS) }
      : undefined,
    wrongKey: random.chance(0.1) ? spanFrom(during()) : undefined,
    crashes: Array.from({ length: random.pick([0, 0, 1, 3, 10]) }, during),
    ratePerSecond: random.pick([10, 80, 80, 100]),
    latencyMs: random.pick([20, 50, 200, 2_000]),
  };
}

/** Low traffic, steady around the beginning and the end, or more than one burst can hold: at once, or as a stream of single events. */
function drawMessages(random: Random, { fromMs, untilMs }: Span): readonly PlannedMessage[] {
  const poison = random.pick(["none", "none", "refused", "only_refused", "failing"] as const);
  // A few that fail by themselves. Many are a partial outage, in which others may come later than promised.
  const failing = random.int(1, 3);
  const poisonOf = (n: number): Poison => {
    if (poison === "failing") return n < failing ? "failing" : undefined;
    if (poison === "only_refused") return "refused";
    return poison === "refused" && random.chance(0.1) ? "refused" : undefined;
  };
  const make = (count: number, atMs: () => number, events: () => number) =>
    Array.from({ length: count }, (_, n) => {
      const own = poisonOf(n);
      return { atMs: Math.max(0, atMs()), events: own === "failing" ? 1 : events(), poison: own };
    });
  const one = () => 1;
  const rare = random.pick(["flood", "flood", "flood", "stream", "stream", "low", "low", "low", "low", "low"] as const);
  const kind = random.pick(["low", "low", "low", "steady", "bursts", rare] as const);
  if (kind === "low") return make(random.int(1, 12), () => random.int(0, untilMs), one);
  if (kind === "steady") {
    const gapMs = random.pick([200, SECOND_MS, 10 * SECOND_MS]);
    const edges = [fromMs - 20 * gapMs, untilMs - 20 * gapMs];
    return edges.flatMap((edgeMs) => make(random.int(20, 60), () => edgeMs + random.int(0, 40 * gapMs), one));
  }
  if (kind === "bursts") {
    const atMs = random.int(0, untilMs);
    return make(
      random.int(5, 40),
      () => atMs + random.int(0, 300),
      () => random.int(1, 20),
    );
  }
  if (kind === "stream") {
    const startMs = random.int(0, untilMs);
    return make(1_500, () => startMs + random.int(0, 7_500), one);
  }
  return make(
    random.int(50, 75),
    () => random.int(Math.max(0, untilMs - 10 * MINUTE_MS), untilMs),
    () => 20,
  );
}
