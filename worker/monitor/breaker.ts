/**
 * The breaker: decides from the results of attempts when delivery stops because WorkOS is down, when a probe goes out, and when
 * delivery resumes. Pure: state in, state out; the caller passes the time. The monitor pauses the queue and sends the probes.
 */
import type { Verdict } from "../../shared/outcome.ts";

/** Attempts in a row that must fail before the breaker opens. Our choice, as are the times below. */
export const FAILURES_TO_OPEN = 5;
/** With little traffic two attempts in a row are enough, if this much time lies between them. */
const SPACED_FAILURES_MS = 30_000;
/** From opening to the first probe. */
export const FIRST_PROBE_MS = 10_000;
/** From one probe to the next. */
export const PROBE_EVERY_MS = 60_000;
/** Longest wait for the first probe after the breaker opened again. */
const REOPENED_MAX_MS = 600_000;
/** Failed probes, each with another event, before a probe sends an event that nobody has tried. */
const KNOWN_PROBES = 3;
/** Events that must be delivered after the probe before the incident ends. */
const DELIVERED_TO_CLOSE = 8;

export interface Breaker {
  /** `recovering`: a probe was delivered and the queue runs again, but the incident has not ended. */
  readonly phase: "closed" | "open" | "recovering";
  /** Failed attempts in a row, counted while the queue runs. */
  readonly failures: number;
  /** When the newest of them ended, ms since the epoch. */
  readonly lastFailureMs: number;
  /** How often it opened in this incident. */
  readonly openings: number;
  /** When the next probe is due; 0 unless it is open. */
  readonly nextProbeMs: number;
  /** Events delivered since the probe that resumed the queue. */
  readonly delivered: number;
  /** Probes that failed since it opened. */
  readonly failedProbes: number;
  /** How many of these sent an event from the queue that nobody had tried before. */
  readonly untriedProbes: number;
}

/** Where a probe takes its event from: an event that the ledger holds after a failed attempt, or a message at QStash. */
export type ProbeSource = "ledger" | "queue";

export const CLOSED: Breaker = {
  phase: "closed",
  failures: 0,
  lastFailureMs: 0,
  openings: 0,
  nextProbeMs: 0,
  delivered: 0,
  failedProbes: 0,
  untriedProbes: 0,
};

/** Counts one attempt of an ordinary delivery. While the breaker is open, attempts already under way change nothing. */
export function afterAttempt(breaker: Breaker, verdict: Verdict, nowMs: number): Breaker {
  if (breaker.phase === "open") return breaker;
  return verdict === "failed" ? afterFailure(breaker, nowMs) : afterAnswer(breaker, verdict === "delivered" ? 1 : 0);
}

/** Counts this many consecutive attempts that ended `delivered`. */
export function afterDelivered(breaker: Breaker, count: number): Breaker {
  return breaker.phase === "open" || count <= 0 ? breaker : afterAnswer(breaker, count);
}

function afterAnswer(breaker: Breaker, count: number): Breaker {
  const delivered = breaker.delivered + count;
  if (breaker.phase === "closed" || delivered >= DELIVERED_TO_CLOSE) return CLOSED;
  return { ...breaker, failures: 0, lastFailureMs: 0, delivered };
}

function afterFailure(breaker: Breaker, nowMs: number): Breaker {
  const failures = breaker.failures + 1;
  const isSpaced = breaker.failures > 0 && nowMs - breaker.lastFailureMs >= SPACED_FAILURES_MS;
  if (failures < FAILURES_TO_OPEN && !isSpaced) return { ...breaker, failures, lastFailureMs: nowMs };
  return opened(breaker.openings + 1, nowMs);
}

function opened(openings: number, nowMs: number): Breaker {
  const waitMs = openings === 1 ? FIRST_PROBE_MS : Math.min(PROBE_EVERY_MS * 2 ** (openings - 2), REOPENED_MAX_MS);
  return { ...CLOSED, phase: "open", openings, nextProbeMs: nowMs + waitMs };
}

/** Starts a probe: the next one is due in a minute. */
export function afterProbeBegan(breaker: Breaker, nowMs: number): Breaker {
  return breaker.phase === "open" ? { ...breaker, nextProbeMs: nowMs + PROBE_EVERY_MS } : breaker;
}

/**
 * Returns where the next probe takes its event from. The `waiting` events of the ledger come first. If each of them, or three, have
 * failed as probes, the events may be at fault rather than WorkOS, so the next probe sends an event that nobody has tried. In a
 * long outage that becomes rarer: the wait doubles each time, because 24 h after its first attempt an event can end as a dead
 * letter.
 */
export function probeSource({ failedProbes, untriedProbes }: Breaker, waiting: number): ProbeSource {
  return failedProbes >= Math.min(waiting, KNOWN_PROBES) * 2 ** untriedProbes ? "queue" : "ledger";
}

/** A probe failed: WorkOS did not accept its event. */
export function afterFailedProbe(breaker: Breaker, source: ProbeSource): Breaker {
  if (breaker.phase !== "open") return breaker;
  const untriedProbes = breaker.untriedProbes + (source === "queue" ? 1 : 0);
  return { ...breaker, failedProbes: breaker.failedProbes + 1, untriedProbes };
}

/** Probes delivered this many events (0: there was no event to try), so the queue runs again. */
export function afterProbe(breaker: Breaker, delivered: number): Breaker {
  if (breaker.phase !== "open") return breaker;
  const recovering: Breaker = { ...CLOSED, phase: "recovering", openings: breaker.openings };
  // The probe that resumes the queue is not one of the eight.
  return afterDelivered(recovering, delivered - 1);
}
