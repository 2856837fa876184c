/** One run: the plan's faults, then everything heals, then whatever waits may end; what stands at the end goes to the oracle. */
import { createHash } from "node:crypto";
import type { System } from "./host/system.ts";
import type { PlannedAction } from "./plan.ts";
import { World } from "./world.ts";

const HOUR_MS = 3_600_000;
/** A record that nobody settles is given up by a replay after 7 days, so quiet must come in a little more. */
const SETTLE_MAX_MS = 12 * 24 * HOUR_MS;
/** Longer than the cron's period. */
const STEP_MS = 7 * HOUR_MS;
const ENDED_REPLAYS: ReadonlySet<unknown> = new Set(["done"]);

export interface DeadLetterRow {
  readonly event_id: string;
  readonly state: string;
  readonly class: string;
  readonly wrote: string;
  readonly reason: string;
  readonly record: string | null;
}

export interface LedgerRow {
  readonly id: string;
  /** 0 pending, 1 delivered, 2 rejected, 3 discarded. */
  readonly state: number;
  readonly wrote: number;
}

/** How a run ended. */
export interface Finish {
  readonly world: World;
  readonly deadLetters: ReadonlyMap<string, DeadLetterRow>;
  readonly ledger: ReadonlyMap<string, LedgerRow>;
  readonly outboxWaiting: number;
  readonly openReplays: readonly string[];
  readonly isQuiet: boolean;
}

export async function run(seed: number, system: System): Promise<Finish> {
  const world = new World(seed, system);
  const { time, plan, chaos, gateway, operator, random } = world;
  for (const { atMs, request } of plan.requests) time.at(atMs, () => gateway.serve(request));
  for (const action of plan.actions) time.at(action.atMs, () => act(world, action));
  let isCronOn = true;
  const cron = () => {
    if (isCronOn) world.worker.cron();
    time.after(plan.cronMs, cron);
  };
  cron();
  const endMs = Math.max(time.now() + plan.durationMs, ...plan.spells.map(({ untilMs }) => untilMs));
  await time.run(endMs);
  chaos.isOn = false;
  deployRight(world);
  await settle(world);
  const last = random.pick(["nothing", "replay", "accepting", "mend", "queue_retry"] as const);
  if (last === "mend") world.workos.wrongSchemas.clear();
  if (last === "queue_retry") for (const { dlqId } of world.queue.listDead()) world.queue.retryDead(dlqId);
  else if (last !== "nothing") void operator.replay({ all: true, accept_duplicates: last === "accepting", rate: 100 });
  if (last !== "nothing") await settle(world);
  isCronOn = false;
  return finish(world);
}

function act(world: World, action: PlannedAction): void {
  const { worker, gateway, queue, workos, random, time } = world;
  if (action.name === "kill_gateway") gateway.kill(random.int(0, 1));
  else if (action.name === "kill_worker") worker.killIsolates();
  else if (action.name === "kill_object") worker.killObject(random);
  else if (action.name === "deploy_worker") worker.deploy({});
  else if (action.name === "rotate_ingest_key") world.rotateIngestKey();
  else if (action.name === "mend_schema") workos.wrongSchemas.clear();
  else if (action.name === "rotate_queue_keys") {
    queue.rotateKeys();
    time.after(random.int(1_000, 600_000), () => deployKeys(world));
  } else if (action.name === "wrong_credential") {
    workos.apiKey = `sk_live_${time.now()}`;
    time.after(action.forMs, () => {
      deployRight(world);
      void world.operator.resume();
    });
  } else void world.operator.act(action);
}

function deployKeys({ worker, queue }: World): void {
  worker.deploy({ QSTASH_CURRENT_SIGNING_KEY: queue.keys.current, QSTASH_NEXT_SIGNING_KEY: queue.keys.next });
}

function deployRight(world: World): void {
  world.worker.deploy({ WORKOS_API_KEY: world.workos.apiKey });
}

/** Resumes whatever is paused, and lets time pass until nothing is under way and the cron has looked at that. */
async function settle(world: World): Promise<void> {
  const { time, operator } = world;
  deployKeys(world);
  const endMs = time.now() + SETTLE_MAX_MS;
  let stepMs = time.now();
  let quietSteps = 0;
  void operator.resume();
  while (stepMs < endMs && quietSteps < 2) {
    // Each resume is itself an audit event, so that one for every step would never end.
    if (world.queue.pausedKeys.size > 0) void operator.resume();
    for (const id of pausedReplays(world)) void operator.resumeReplay(id);
    stepMs += STEP_MS;
    await time.run(stepMs);
    quietSteps = isQuiet(world) ? quietSteps + 1 : 0;
  }
}

function isQuiet(world: World): boolean {
  return world.queue.open.length === 0 && outboxWaiting(world) === 0 && openReplays(world).length === 0;
}

function outboxWaiting({ worker }: World): number {
  return worker.objects("outbox").reduce((sum, { database }) => {
    return sum + Number(database.prepare("SELECT count(*) AS n FROM outbox").get()?.["n"]);
  }, 0);
}

function replays({ worker }: World): readonly { readonly id: string; readonly state: string }[] {
  const rows = worker
    .objects("archive")
    .flatMap(({ database }) => database.prepare("SELECT id, state FROM replays").all());
  return rows.map((row) => ({ id: String(row["id"]), state: String(row["state"]) }));
}

function openReplays(world: World): readonly string[] {
  return replays(world)
    .filter(({ state }) => !ENDED_REPLAYS.has(state))
    .map(({ id, state }) => `${id} ${state}`);
}

function pausedReplays(world: World): readonly string[] {
  return replays(world)
    .filter(({ state }) => state === "paused" || state === "stopped")
    .map(({ id }) => id);
}

function finish(world: World): Finish {
  const { worker } = world;
  const rows = <T>(prefix: string, query: string) =>
    worker.objects(prefix).flatMap(({ database }) => database.prepare(query).all() as unknown as T[]);
  const letters = rows<DeadLetterRow>(
    "archive",
    "SELECT event_id, state, class, wrote, reason, record FROM dead_letters",
  );
  const ledger = rows<LedgerRow>("ledger", "SELECT id, state, wrote FROM ledger");
  return {
    world,
    deadLetters: new Map(letters.map((row) => [row.event_id, row])),
    ledger: new Map(ledger.map((row) => [row.id, row])),
    outboxWaiting: outboxWaiting(world),
    openReplays: openReplays(world),
    isQuiet: isQuiet(world),
  };
}

/** The same for two runs exactly where they did the same at the same times. */
export function fingerprint({ world, deadLetters }: Finish): string {
  const { workos, history, gateway } = world;
  const seen = history.seen.map(({ atMs, record, by }) => [atMs, record.id, record.stage, by]);
  const served = gateway.served.map(({ life: _life, ...rest }) => rest);
  const all = [workos.requests, seen, history.ledger, served, [...deadLetters.values()], world.time.now()];
  return createHash("sha256").update(JSON.stringify(all)).digest("hex").slice(0, 16);
}
