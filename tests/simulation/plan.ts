/** What a run does, drawn from its seed before it starts: requests, spells of trouble, and what operators do. */
import { LINK_TROUBLES, QUEUE_TROUBLES, type Spell, WORKOS_TROUBLES } from "./chaos.ts";
import type { ApiRequest } from "./gateway.ts";
import type { Random } from "./random.ts";

const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
/** An outage that is longer than the retry horizon. */
const LONG_OUTAGE_MS = 30 * HOUR_MS;
const SKEW_MAX_MS = 5 * MINUTE_MS;

export const GATEWAY_ISOLATES = 2;
/** Its schema is wrong until somebody mends it. */
export const POISON_ACTION = "poison.made";

export const OPERATOR_ACTIONS = [
  "pause_and_resume",
  "replay_all",
  "replay_some",
  "replay_accepting",
  "replay_mended",
  "replay_cancelled",
  "discard",
  "queue_retry",
  "dry_run",
] as const;
export const MACHINE_ACTIONS = [
  "kill_gateway",
  "kill_worker",
  "kill_object",
  "deploy_worker",
  "rotate_queue_keys",
  "rotate_ingest_key",
  "wrong_credential",
  "mend_schema",
] as const;
export type ActionName = (typeof OPERATOR_ACTIONS)[number] | (typeof MACHINE_ACTIONS)[number];

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
  const requests = drawRequests(random, startMs, durationMs);
  return {
    durationMs,
    requests,
    spells: drawSpells(random, startMs, durationMs, requests),
    actions: Array.from({ length: random.int(0, 6) }, () => ({
      name: random.pick(random.chance(0.6) ? OPERATOR_ACTIONS : MACHINE_ACTIONS),
      atMs: when(),
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
function drawRequests(random: Random, startMs: number, durationMs: number): Plan["requests"] {
  const isDefault = random.chance(0.5);
  let burstMs = startMs;
  return Array.from({ length: random.int(4, 20) }, (_, n) => {
    if (n === 0 || random.chance(0.4)) burstMs = startMs + random.int(0, Math.floor(durationMs * 0.8));
    const isPoison = random.chance(0.12);
    const request: ApiRequest = {
      n,
      isolate: random.int(0, GATEWAY_ISOLATES - 1),
      assurance: isDefault ? "best-effort" : random.pick(["best-effort", "durable", "required"]),
      action: isPoison ? POISON_ACTION : "item.made",
      organization: random.chance(0.05) ? "org_gone" : "org_1",
      handlerMs: random.chance(0.1) ? random.int(1_000, 400_000) : random.int(1, 200),
      status: random.pick([200, 200, 201, 403, 500]),
      neighbour: random.chance(0.2) ? random.pick(["outbound_throws", "hook_throws", "child"]) : undefined,
    };
    return { atMs: burstMs + random.int(0, 300), request };
  });
}

/** Half of them begin just before a request, where they hurt most. */
function drawSpells(random: Random, startMs: number, durationMs: number, requests: Plan["requests"]): readonly Spell[] {
  const spells = Array.from({ length: random.int(0, 8) }, () => {
    const isNear = random.chance(0.5);
    const fromMs = isNear ? random.pick(requests).atMs - random.int(0, 5_000) : startMs + random.int(0, durationMs);
    const forMs = random.chance(0.5) ? random.int(1_000, 5 * MINUTE_MS) : random.int(MINUTE_MS, durationMs / 2);
    return drawSpell(random, fromMs, fromMs + forMs);
  });
  if (!random.chance(0.1)) return spells;
  const target = random.pick(["workos", "queue"] as const);
  const kind = random.pick(LINK_TROUBLES.slice(0, 4));
  return [...spells, { target, kind, fromMs: startMs, untilMs: startMs + LONG_OUTAGE_MS, probability: 1 }];
}

function drawSpell(random: Random, fromMs: number, untilMs: number): Spell {
  const target = random.pick(["workos", "workos", "workos", "queue", "queue", "worker", "rpc", "crash"] as const);
  const probability = random.pick([0.1, 0.5, 1]);
  const spell = { target, fromMs, untilMs, probability };
  if (target === "rpc") return { ...spell, kind: random.pick(["ledger", "archive", "outbox", "monitor", ""]) };
  // A worker that always crashes for hours is down, which the link says better.
  if (target === "crash") return { ...spell, kind: "", probability: random.pick([0.01, 0.05, 0.3]) };
  const own = { workos: WORKOS_TROUBLES, queue: QUEUE_TROUBLES, worker: LINK_TROUBLES }[target];
  return { ...spell, kind: random.pick(random.chance(0.5) ? LINK_TROUBLES : own) };
}
