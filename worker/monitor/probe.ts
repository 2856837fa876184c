/**
 * Probes: while the breaker is open, real events that wait in the ledger are sent under their own keys and with their frozen bytes.
 * An invented event would falsify somebody's audit log, and a read would prove nothing about writes.
 */
import { outcomeOf, verdictOf, type AttemptOutcome, type Verdict } from "../../shared/outcome.ts";
import type { LedgerAttempt, WaitingEvent, WaitingSince } from "../ledger/types.ts";
import type { WorkosReply } from "../workos.ts";
import type { ProbeSource } from "./breaker.ts";

/** Requests in parallel. https://developers.cloudflare.com/workers/platform/limits/ */
const LANES = 5;
/** Consecutive failures after which WorkOS counts as down again. Our choice, as for the breaker. */
const FAILURES_TO_STOP = 5;
/** An event whose last attempt is this long ago has used its early retries, or nearly all: the next comes after hours. Our choice. */
const LATE_MS = 240_000;
/** Longest time that events are sent before the queue runs again. Our choice. */
const DRAIN_MAX_MS = 20_000;
/** Longest time of one round of late events: shorter than the time between two cron rounds. Our choice. */
const LATE_ROUND_MAX_MS = 200_000;

export interface ProbePorts {
  readonly now: () => number;
  /** Returns records that wait for their next attempt, longest wait since the last attempt first. */
  readonly candidates: () => Promise<readonly WaitingSince[]>;
  /** Undefined if the event no longer waits, or another delivery holds it. */
  readonly claim: (id: string) => Promise<WaitingEvent | undefined>;
  /** Leases an untried event of a message that waits at QStash; undefined if there is none. */
  readonly claimUntried: () => Promise<WaitingEvent | undefined>;
  readonly send: (body: string, key: string) => Promise<WorkosReply>;
  readonly settle: (event: WaitingEvent, attempt: LedgerAttempt) => Promise<void>;
  /** Resolves when the pace allows one more event. */
  readonly turn: () => Promise<void>;
  /** Asked before each request: an operator may have paused delivery in the meantime. */
  readonly isStopped: () => boolean;
}

/** The result of one round of probes. */
type Probed =
  /** WorkOS accepted this many events. 0: none, and there is nothing left to try. */
  | { readonly kind: "up"; readonly delivered: number }
  | { readonly kind: "down"; readonly source: ProbeSource }
  /** 401 or 403, from any sender. */
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "stopped" };

interface Ended {
  readonly verdict: Verdict | "refused";
  readonly reason: string;
  readonly source: ProbeSource;
}

/**
 * Sends one event. Once WorkOS has accepted it, the other waiting events go out before the queue runs again: each has spent an
 * attempt already, and must not spend the next if WorkOS goes down again. `sourceFor` says where the event comes from when this
 * many wait in the ledger.
 */
export async function probe(ports: ProbePorts, sourceFor: (waiting: number) => ProbeSource): Promise<Probed> {
  const queue = (await ports.candidates()).map(({ id }) => id);
  const first = await sendFirst(queue, sourceFor(queue.length), ports);
  if (ports.isStopped()) return { kind: "stopped" };
  if (first === undefined) return { kind: "up", delivered: 0 };
  if (first.verdict === "failed") return { kind: "down", source: first.source };
  if (first.verdict === "refused") return { kind: "refused", reason: first.reason };
  return drain(queue, first.verdict === "delivered" ? 1 : 0, ports);
}

/**
 * Sends the events whose next retry is hours away, because some requests failed while others succeeded. Stops after five
 * consecutive failures. Returns how many were delivered.
 */
export async function sendLate(ports: ProbePorts): Promise<number> {
  const latestMs = ports.now() - LATE_MS;
  const late = (await ports.candidates()).filter(({ touchedMs }) => touchedMs <= latestMs);
  const { delivered } = await sendAll(
    late.map(({ id }) => id),
    LATE_ROUND_MAX_MS,
    ports,
  );
  return delivered;
}

/** Sends an event from the preferred source, or from the other one if that has none. */
async function sendFirst(queue: string[], source: ProbeSource, ports: ProbePorts): Promise<Ended | undefined> {
  if (source === "queue") return (await sendUntried(ports)) ?? sendNext(queue, ports);
  return (await sendNext(queue, ports)) ?? sendUntried(ports);
}

async function drain(queue: string[], deliveredBefore: number, ports: ProbePorts): Promise<Probed> {
  const sent = await sendAll(queue, DRAIN_MAX_MS, ports);
  const delivered = deliveredBefore + sent.delivered;
  if (ports.isStopped()) return { kind: "stopped" };
  if (sent.failures < FAILURES_TO_STOP) return { kind: "up", delivered };
  // All events that wait here may be faulty themselves. An untried one shows whether WorkOS is down again.
  const last = await sendUntried(ports);
  if (ports.isStopped()) return { kind: "stopped" };
  if (last === undefined || last.verdict === "failed") return { kind: "down", source: last?.source ?? "ledger" };
  if (last.verdict === "refused") return { kind: "refused", reason: last.reason };
  return { kind: "up", delivered: delivered + (last.verdict === "delivered" ? 1 : 0) };
}

/** Sends events in parallel; stops after some time, or after five consecutive failures, which it counts. */
async function sendAll(
  queue: string[],
  maxMs: number,
  ports: ProbePorts,
): Promise<{ delivered: number; failures: number }> {
  const endMs = ports.now() + maxMs;
  let delivered = 0;
  let failures = 0;
  const lane = async () => {
    while (failures < FAILURES_TO_STOP && ports.now() < endMs) {
      const ended = await sendNext(queue, ports);
      if (ended === undefined) return;
      if (ended.verdict === "delivered") delivered += 1;
      failures = ended.verdict === "delivered" || ended.verdict === "answered" ? 0 : failures + 1;
    }
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { delivered, failures };
}

/** Sends the next event that still waits; undefined if none is left or sending must stop. */
async function sendNext(queue: string[], ports: ProbePorts): Promise<Ended | undefined> {
  for (let id = queue.shift(); id !== undefined && !ports.isStopped(); id = queue.shift()) {
    await ports.turn();
    const waiting = await ports.claim(id);
    if (waiting) return sendOne(waiting, "ledger", ports);
  }
  return undefined;
}

async function sendUntried(ports: ProbePorts): Promise<Ended | undefined> {
  if (ports.isStopped()) return undefined;
  await ports.turn();
  const untried = await ports.claimUntried();
  return untried && sendOne(untried, "queue", ports);
}

async function sendOne(event: WaitingEvent, source: ProbeSource, ports: ProbePorts): Promise<Ended> {
  const startedMs = ports.now();
  const { answer, detail } = await ports.send(event.body, event.key);
  const endedMs = ports.now();
  const outcome = outcomeOf(answer, endedMs);
  const status = answer.kind === "response" ? answer.status : undefined;
  const reason = outcome.kind === "delivered" ? "" : [outcome.reason, detail].filter(Boolean).join(" ");
  await ports.settle(event, {
    atMs: startedMs,
    durationMs: endedMs - startedMs,
    outcome: settledAs(outcome),
    wrote: outcome.wrote,
    ...(status === undefined ? {} : { status }),
    ...(reason ? { reason } : {}),
  });
  const isRefused = status === 401 || status === 403;
  return { verdict: isRefused ? "refused" : (verdictOf(answer) ?? "failed"), reason, source };
}

/** A refusal is left to the message's own delivery, which has the whole record and can make a dead letter of it. */
function settledAs(outcome: AttemptOutcome): LedgerAttempt["outcome"] {
  return outcome.kind === "delivered" ? "delivered" : "retry";
}
