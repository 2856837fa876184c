/** Time from the delivery of an event until a signed checkpoint covers it, on the laptop stack and the real clock. */
import { setTimeout as sleep } from "node:timers/promises";
import { quantile } from "simple-statistics";
import { sendCall } from "../../dev/demo/call.ts";
import { EXAMPLE_CALL } from "../../dev/demo/calls.ts";
import { type Stack, startStack } from "../../dev/stack.ts";
import { quarterAt, quarterStartMs } from "../../shared/evidence/quarter.ts";
import type { Part, PartReport, RunContext } from "../report/part.ts";
import { count, minutes } from "../report/quantities.ts";

export const part: Part = { name: "sealing", title: "Time from the delivery to the signed checkpoint", run };

/** As the cron trigger in `wrangler.toml`. */
const CRON_MS = 5 * 60_000;
const REQUEST_GAP_MS = 1_000;
/** Longer than a round takes, far shorter than a cron. */
const LAST_ROUND_MAX_MS = 60_000;
/** What docs/evidence.md says: a quarter of an hour and one more round of the cron. */
const DELAY_MAX_MS = 20 * 60_000;

/** A digest that a checkpoint has covered since `atMs`, and the events in it. */
export interface SealedDigest {
  readonly atMs: number;
  readonly eventIds: readonly string[];
}

interface Delivered {
  readonly eventId: string;
  readonly atMs: number;
}

/** A round of the cron after which the checkpoint covers `size` digests. */
interface SealingRound {
  readonly size: number;
  readonly atMs: number;
  readonly tookMs: number;
}

export interface Measured {
  readonly delaysMs: readonly number[];
  /** Delivered in a quarter that has ended, and in no digest. */
  readonly unsealed: number;
  readonly digests: number;
  /** From the start of each round that sealed something to its end. */
  readonly roundsMs: readonly number[];
}

async function run({ quick, step }: RunContext): Promise<PartReport> {
  const stack = await startStack();
  try {
    const firstMs = Date.now();
    // Two quarters end, so that at least one is whole.
    const untilMs = quick ? firstMs + 10_000 : quarterStartMs(quarterAt(firstMs) + 2);
    const sends: Promise<unknown>[] = [];
    const sender = setInterval(() => void sends.push(sendCall(stack.gateway.url, EXAMPLE_CALL)), REQUEST_GAP_MS);
    try {
      return report(await measure(stack, untilMs, step));
    } finally {
      clearInterval(sender);
      await Promise.allSettled(sends);
    }
  } finally {
    await stack.stop();
  }
}

/** Runs the cron as Cloudflare does until the last quarter before `untilMs` is sealed. */
async function measure(stack: Stack, untilMs: number, step: RunContext["step"]): Promise<Measured> {
  const firstMs = Date.now();
  const rounds: SealingRound[] = [];
  for (const cronMs of cronTimes(firstMs, untilMs)) {
    while (Date.now() < cronMs) {
      step("requests and rounds of the cron", Math.min(Date.now(), untilMs) - firstMs, untilMs - firstMs);
      await sleep(REQUEST_GAP_MS);
    }
    const isLast = cronMs >= untilMs;
    // A quick run ends within a quarter, so its only round comes early.
    const asAtMs = isLast ? Math.max(Date.now(), quarterStartMs(quarterAt(untilMs - 1) + 1)) : Date.now();
    const round = await runCron(stack, asAtMs, rounds.at(-1)?.size ?? 0, isLast ? LAST_ROUND_MAX_MS : 0);
    if (round) rounds.push(round);
  }
  const digests = await digestsOf(stack, rounds);
  const roundsMs = rounds.map(({ tookMs }) => tookMs);
  return { ...delaysOf(deliveredTo(stack), digests, untilMs), digests: digests.length, roundsMs };
}

/** Returns when the cron runs: at each multiple of five minutes after `firstMs`, and last at `untilMs` or the first multiple after it. */
export function cronTimes(firstMs: number, untilMs: number): readonly number[] {
  const times: number[] = [];
  let atMs = Math.min(untilMs, (Math.floor(firstMs / CRON_MS) + 1) * CRON_MS);
  for (; atMs < untilMs; atMs += CRON_MS) times.push(atMs);
  return [...times, atMs];
}

/** Runs the cron once. Returns undefined if the checkpoint has not grown beyond `size`. */
async function runCron(
  stack: Stack,
  asAtMs: number,
  size: number,
  patienceMs: number,
): Promise<SealingRound | undefined> {
  const startedMs = Date.now();
  await stack.worker.scheduled(asAtMs);
  const grown = await nextSize(stack, size, patienceMs);
  return grown === undefined ? undefined : { size: grown, atMs: Date.now(), tookMs: Date.now() - startedMs };
}

/** The size of the checkpoint once it has grown beyond `size`; nothing if it has not grown after `patienceMs`. */
async function nextSize(stack: Stack, size: number, patienceMs: number): Promise<number | undefined> {
  const deadlineMs = Date.now() + patienceMs;
  for (;;) {
    const found = Number((await evidence(stack, "checkpoint"))?.split("\n")[1] ?? 0);
    if (found > size) return found;
    if (Date.now() >= deadlineMs) return undefined;
    await sleep(50);
  }
}

async function digestsOf(stack: Stack, rounds: readonly SealingRound[]): Promise<readonly SealedDigest[]> {
  const organization = stack.workerVariables["AUDIT_ORGANIZATION_ID"] ?? "";
  const digests: SealedDigest[] = [];
  for (const { size, atMs } of rounds) {
    for (let number = digests.length; number < size; number++) {
      const leaves = (await evidence(stack, `leaves/${number}/${organization}.jsonl`)) ?? "";
      const lines = leaves.split("\n").filter((line) => line !== "");
      digests.push({ atMs, eventIds: lines.map((line) => (JSON.parse(line) as { event_id: string }).event_id) });
    }
  }
  return digests;
}

/** A file of the evidence, or nothing if there is none. Throws if the worker answers otherwise. */
async function evidence(stack: Stack, path: string): Promise<string | undefined> {
  const authorization = `Bearer ${stack.workerVariables["AUDIT_ADMIN_TOKEN"]}`;
  const response = await fetch(`${stack.worker.url}/evidence/${path}`, { headers: { authorization } });
  const text = await response.text();
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`the worker answered ${response.status} to "${path}"`);
  return text;
}

function deliveredTo(stack: Stack): readonly Delivered[] {
  return stack.workos.events().flatMap(({ event, received_at_ms: atMs }) => {
    const eventId = event.metadata?.["event_id"];
    return typeof eventId === "string" ? [{ eventId, atMs }] : [];
  });
}

/** Pairs events with the digests that hold them. What was delivered after `untilMs` belongs to a later digest and does not count. */
export function delaysOf(
  delivered: readonly Delivered[],
  digests: readonly SealedDigest[],
  untilMs: number,
): Pick<Measured, "delaysMs" | "unsealed"> {
  const sealedAtMs = new Map(digests.flatMap(({ atMs, eventIds }) => eventIds.map((id) => [id, atMs] as const)));
  const due = delivered.filter(({ eventId, atMs }) => atMs < untilMs || sealedAtMs.has(eventId));
  const delaysMs = due.flatMap(({ eventId, atMs }) => {
    const sealed = sealedAtMs.get(eventId);
    return sealed === undefined ? [] : [sealed - atMs];
  });
  return { delaysMs, unsealed: due.length - delaysMs.length };
}

/** Makes the report of what was measured. */
export function report(measured: Measured): PartReport {
  const { delaysMs, unsealed, digests, roundsMs } = measured;
  const at = (q: number) => (delaysMs.length === 0 ? "none" : minutes(quantile([...delaysMs], q)));
  const mostMs = Math.max(...delaysMs);
  return {
    goals: [
      {
        name: "longest time from delivery to the checkpoint",
        goal: `≤ ${minutes(DELAY_MAX_MS)}, each event sealed`,
        figure: `${at(1)}${unsealed === 0 ? "" : `, ${unsealed} not sealed`}`,
        met: delaysMs.length > 0 && mostMs <= DELAY_MAX_MS && unsealed === 0,
      },
    ],
    tables: [
      {
        title: "One event a second, the cron every five minutes",
        head: ["events", "digests", "p50", "p99", "most", "not sealed", "a round that seals, ms"],
        rows: [
          [count(delaysMs.length), String(digests), ...[0.5, 0.99, 1].map(at), String(unsealed), roundsMs.join(", ")],
        ],
      },
    ],
    notes: NOTES,
    data: measured,
  };
}

const NOTES = [
  "The stack is that of `npm run dev`, on the real clock: the gateway, the development queue, the worker in workerd with " +
    "all shards of the ledger and its own bucket, and the stand-in for WorkOS. One request a second goes through the " +
    "gateway until two quarters of an hour have ended. The worker's cron handler runs every five minutes on the clock. The " +
    "delay runs from the moment at which WorkOS stored an event to the first checkpoint whose digests contain its leaf. On " +
    "Cloudflare, a cron may start later than on the minute, and the bucket is R2 instead of a folder. The delay includes " +
    "neither.",
];
