/** What must hold of each schedule. Judges only what WorkOS, the queue and the dead letters saw. */
import { BURST_EVENTS } from "../../../worker/monitor/token-bucket.ts";
import type { OutageWorld, PublishedEvent } from "./world.ts";

/** From the recovery to the last event that waited for it. */
export const ARRIVES_WITHIN_MS = 600_000;
const ATTEMPTS_MAX = 2;
/** WorkOS forgets a key after this time, less the margin that the ledger keeps. */
const KEY_KNOWN_MS = 23.75 * 3_600_000;
/** A message whose turn had come may still be sending. */
const UNDER_WAY_MS = 35_000;
/** Events whose turn had come and that wait inside their messages for a slow answer. */
const BUNCHED_EVENTS = 300;
/** An isolate may notice a pause this much later than the monitor. */
const UNASKED_MS = 250;

interface OutageFinish {
  readonly world: OutageWorld;
  /** Ids of the events at WorkOS ten minutes after the recovery. */
  readonly storedInTime: ReadonlySet<string>;
}

type OutageCheck = (finish: OutageFinish) => readonly string[];

const isWell = ({ poison }: PublishedEvent) => poison === undefined;

const arrivesOnce: OutageCheck = ({ world }) => {
  const stored = Map.groupBy(world.workos.events, ({ id }) => id);
  const parked = new Set(world.deadLetters.map(({ id }) => id));
  // A schedule with an event that fails for ever ends before the last ones have arrived.
  const isCutOff = world.published.some(({ poison }) => poison === "failing");
  return world.published.flatMap(({ id, poison, atMs }) => {
    const count = stored.get(id)?.length ?? 0;
    if (count > 1) return [`${id} is ${count} events`];
    if (isCutOff && (poison === "failing" || atMs > world.recoveredMs)) return [];
    if (count === 0 && !parked.has(id)) return [`${id} (${poison ?? "well"}) is neither an event nor a dead letter`];
    return [];
  });
};

/** Beyond 24 h an event that was tried may not be repeated; others wait. */
const noDeadLetter: OutageCheck = ({ world }) => {
  const well = new Set(world.published.filter(isWell).map(({ id }) => id));
  const first = new Map<string, number>();
  for (const { id, atMs } of world.requests) if (!first.has(id)) first.set(id, atMs);
  return world.deadLetters
    .filter(({ id }) => well.has(id))
    .filter(({ id }) => world.recoveredMs - (first.get(id) ?? Infinity) < KEY_KNOWN_MS)
    .map(({ id, reason }) => `${id} is a dead letter: ${reason}`);
};

const arrivesInTime: OutageCheck = ({ world, storedInTime }) => {
  const parked = new Set(world.deadLetters.map(({ id }) => id));
  return world.published
    .filter((event) => isWell(event) && event.atMs <= world.recoveredMs && !parked.has(event.id))
    .filter(({ id }) => !storedInTime.has(id))
    .map(({ id }) => `${id} has not arrived ten minutes after the recovery`);
};

/**
 * Each time a person resumes while WorkOS is down, and a wrong key, may cost one more. So may an event that WorkOS accepted between the
 * first two attempts: then there was no row of failures for the breaker to see. Where requests fail by chance, a probe may be delivered
 * and the others that follow it not.
 */
const spendsTwoAttempts: OutageCheck = ({ world }) => {
  const { plan, resumes, recoveredMs, requests } = world;
  const most = ATTEMPTS_MAX + resumes.filter((atMs) => atMs < recoveredMs).length + (plan.wrongKey ? 1 : 0);
  // What WorkOS refuses has to wait for its own message to say so.
  const well = new Set(world.published.filter(isWell).map(({ messageId }) => messageId));
  return [...world.spent].flatMap(([messageId, attempts]) => {
    const [firstMs = 0, secondMs = 0] = attempts;
    const isBroken = requests.some(({ atMs, isFailed }) => !isFailed && firstMs < atMs && atMs <= secondMs);
    const isByChance = plan.shape === "slow_death";
    if (attempts.length <= most + (isBroken || isByChance ? 1 : 0) || !well.has(messageId)) return [];
    return [`${messageId} spent ${attempts.length} attempts`];
  });
};

const keepsPace: OutageCheck = ({ world }) => {
  const ratePerMs = world.plan.ratePerSecond / 1_000;
  let level = 0;
  let lastMs = 0;
  for (const { atMs } of world.requests) {
    level = Math.max(0, level - (atMs - lastMs) * ratePerMs) + 1;
    lastMs = atMs;
    if (level > BURST_EVENTS + BUNCHED_EVENTS) return [`${Math.round(level)} events went out in one burst`];
  }
  return [];
};

const leavesPausesAlone: OutageCheck = ({ world }) =>
  world.requests
    .filter(({ pausedForMs, isQueuePaused }) => {
      return pausedForMs !== undefined && (pausedForMs > UNDER_WAY_MS || !isQueuePaused);
    })
    .map(({ id, pausedForMs }) => `${id} was sent ${pausedForMs} ms after an operator had paused`);

const opensOnFailures: OutageCheck = ({ world }) =>
  (world.monitor.counts["breaker_opened"] ?? 0) > 0 && !world.requests.some(({ isFailed }) => isFailed)
    ? ["the breaker opened without a failure"]
    : [];

const asksAgain: OutageCheck = ({ world }) =>
  world.unaskedTurns
    .filter(({ askedAgoMs, isAfterFailure }) => askedAgoMs > UNASKED_MS || isAfterFailure)
    .map(({ askedAgoMs, isAfterFailure }) => {
      return `a message went ${askedAgoMs} ms after the last call to the monitor${isAfterFailure ? " and after a failure" : ""}`;
    });

export const OUTAGE_CHECKS: Readonly<Record<string, OutageCheck>> = {
  arrivesOnce,
  noDeadLetter,
  arrivesInTime,
  spendsTwoAttempts,
  keepsPace,
  leavesPausesAlone,
  opensOnFailures,
  asksAgain,
};
