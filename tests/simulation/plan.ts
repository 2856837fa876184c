/** What a run does, drawn from its seed before it starts: requests, spells of trouble, and what operators do. */
import { LINK_TROUBLES, type Spell } from "./chaos.ts";
import { type ActionName, type Focus, FOCUSES } from "./focus.ts";
import { type ApiRequest, ORGANIZATION_SELECTOR } from "./gateway.ts";
import type { Random } from "./random.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** An outage that is longer than the retry horizon. */
const LONG_OUTAGE_MS = 30 * HOUR_MS;
const SKEW_MAX_MS = 5 * MINUTE_MS;

const GATEWAY_ISOLATES = 2;
/** Its schema is wrong until somebody mends it. */
export const POISON_ACTION = "poison.made";

export interface PlannedAction {
  readonly name: ActionName;
  readonly atMs: number;
  /** How long what it does lasts. */
  readonly forMs: number;
}

export interface Plan {
  readonly durationMs: number;
  readonly requests: readonly { readonly atMs: number; readonly request: ApiRequest }[];
  readonly spells: readonly Spell[];
  readonly actions: readonly PlannedAction[];
  readonly noise: number;
  readonly cronMs: number;
  readonly duplicates: number;
  readonly lostCallbacks: number;
  readonly deduplicationMs: number;
  readonly dlqRetentionMs: number;
  readonly repeatsRefusals: boolean;
  readonly gatewaySkewsMs: readonly number[];
  /** How far the clocks of the worker's isolates and objects are ahead, and how much they differ from one another. */
  readonly workerSkewMs: number;
  readonly workerSkewSpreadMs: number;
  readonly options: {
    readonly budgetMs: number;
    readonly watchdogMs: number;
    readonly coalesceMs: number;
    readonly maxRecords: number;
    readonly timeoutMs: number;
    readonly holdMs: number;
    readonly retries: number;
  };
}

export function drawPlan(random: Random, startMs: number): Plan {
  const durationMs = random.pick([20 * MINUTE_MS, 2 * HOUR_MS, 2 * HOUR_MS, 12 * HOUR_MS, 40 * HOUR_MS]);
  const when = () => startMs + random.int(0, durationMs);
  const skew = () => (random.chance(0.3) ? random.int(-SKEW_MAX_MS, SKEW_MAX_MS) : 0);
  const focus = random.pick(FOCUSES);
  const requests = drawRequests(random, focus, startMs, durationMs);
  return {
    durationMs,
    requests,
    spells: drawSpells(random, focus, startMs, durationMs, requests),
    actions: Array.from({ length: random.int(0, 6) }, () => ({
      name: random.pick(focus.actions),
      // Half of them meet records on their way.
      atMs: random.chance(0.5) ? random.pick(requests).atMs + random.int(0, 3_000) : when(),
      forMs: random.int(MINUTE_MS, durationMs / 3),
    })),
    noise: random.pick([0, 0.01, 0.05]),
    cronMs: random.pick([1, 3, 6]) * HOUR_MS,
    duplicates: random.pick([0, 0.05, 0.3]),
    lostCallbacks: random.pick([0, 0.1, 1]),
    deduplicationMs: random.pick([10 * MINUTE_MS, 90 * 24 * HOUR_MS]),
    dlqRetentionMs: random.pick([3, 7]) * 24 * HOUR_MS,
    repeatsRefusals: random.chance(0.5),
    gatewaySkewsMs: Array.from({ length: GATEWAY_ISOLATES }, skew),
    workerSkewMs: skew(),
    workerSkewSpreadMs: random.chance(0.1) ? SKEW_MAX_MS : 0,
    options: {
      budgetMs: random.pick([100, 500]),
      watchdogMs: random.pick([2_000, 20_000]),
      coalesceMs: random.pick([0, 50, 1_000]),
      maxRecords: random.pick([1, 3, 20]),
      timeoutMs: random.pick([500, 3_000]),
      holdMs: 15_000,
      retries: random.pick([3, 3, 5, 8]),
    },
  };
}

/** Requests come in bursts, so that records share messages. */
function drawRequests(random: Random, focus: Focus, startMs: number, durationMs: number): Plan["requests"] {
  const isDefault = random.chance(0.3);
  let burstMs = startMs;
  return Array.from({ length: random.int(3, focus.noWayOut ? 40 : 16) }, (_, n) => {
    if (focus.noWayOut && n > 0) burstMs += random.int(500, 10_000);
    else if (n === 0 || random.chance(0.4)) burstMs = startMs + random.int(0, Math.floor(durationMs * 0.8));
    const request: ApiRequest = {
      n,
      isolate: random.int(0, GATEWAY_ISOLATES - 1),
      assurance: isDefault ? "best-effort" : random.pick(focus.assurances),
      action: random.chance(focus.poison) ? POISON_ACTION : "item.made",
      organization: random.chance(0.1) ? random.pick(["org_gone", ORGANIZATION_SELECTOR]) : "org_1",
      handlerMs: random.chance(focus.slow)
        ? random.int(1_000, random.pick([20_000, 250_000, 400_000]))
        : random.int(1, 200),
      status: random.pick([200, 200, 201, 403, 500]),
      neighbour: random.chance(focus.neighbour) ? random.pick(["outbound_throws", "hook_throws", "child"]) : undefined,
    };
    return { atMs: burstMs + random.int(0, 300), request };
  });
}

/** Half of them begin just before a request, where they hurt most. */
function drawSpells(
  random: Random,
  focus: Focus,
  startMs: number,
  durationMs: number,
  requests: Plan["requests"],
): readonly Spell[] {
  const spells = Array.from({ length: random.int(0, 8) }, (): Spell => {
    const isNear = random.chance(0.5);
    const fromMs = isNear ? random.pick(requests).atMs - random.int(0, 5_000) : startMs + random.int(0, durationMs);
    const forMs = random.chance(0.5) ? random.int(1_000, 5 * MINUTE_MS) : random.int(MINUTE_MS, durationMs / 2);
    const [target, kind] = random.pick(focus.spells);
    // A worker that crashes at every step for hours is down, which the link says better.
    const probability = random.pick(target === "crash" ? [0.01, 0.05, 0.3] : [0.1, 0.5, 1]);
    return { target, kind, fromMs, untilMs: fromMs + forMs, probability };
  });
  if (focus.noWayOut) spells.push(...drawNoWayOut(random, requests));
  if (!random.chance(focus.longOutage)) return spells;
  const kind = random.pick(LINK_TROUBLES.slice(0, 4));
  for (const target of random.pick([["workos"], ["queue"], ["workos", "queue"]] as const)) {
    spells.push({ target, kind, fromMs: startMs, untilMs: startMs + LONG_OUTAGE_MS, probability: 1 });
  }
  return spells;
}

function drawNoWayOut(random: Random, requests: Plan["requests"]): readonly Spell[] {
  const fromMs = Math.min(...requests.map(({ atMs }) => atMs));
  const untilMs = fromMs + random.int(20_000, 4 * MINUTE_MS);
  return (["queue", "worker"] as const).map((target) => ({ target, kind: "reset", fromMs, untilMs, probability: 1 }));
}
