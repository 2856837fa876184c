/** The history of one record that ended wrongly: only what affects it, in order. */
import type { PlannedFault } from "./plan.ts";
import { readApi, readJson } from "./outcome.ts";
import type { DrillStack } from "./stack.ts";

interface Moment {
  readonly atMs: number;
  readonly text: string;
}

interface TracedEvent {
  readonly state: string;
  readonly attempts: readonly {
    readonly at: string;
    readonly outcome?: string;
    readonly status?: number;
    readonly code?: string;
  }[];
}

interface WorkosRequests {
  readonly requests: readonly {
    readonly at_ms: number;
    readonly idempotency_key?: string;
    readonly status?: number;
    readonly outcome: string;
  }[];
}

/** A fault that ended this long before a record was acknowledged did not affect it. Our choice. */
const BEFORE_MS = 10_000;

/** Returns lines for the record's acknowledgements, attempts, requests at WorkOS, and the faults between the first and last of them. */
export async function historyOf(
  eventId: string,
  stack: DrillStack,
  faults: readonly (PlannedFault & { readonly startedMs: number; readonly endedMs: number })[],
): Promise<readonly string[]> {
  const own = [
    ...acknowledgements(eventId, stack),
    ...(await attempts(eventId, stack)),
    ...(await requests(eventId, stack)),
  ];
  const firstMs = Math.min(...own.map(({ atMs }) => atMs));
  const lastMs = Math.max(...own.map(({ atMs }) => atMs));
  const around = faults
    .filter(({ startedMs, endedMs }) => startedMs <= lastMs && endedMs >= firstMs - BEFORE_MS)
    .flatMap(({ kind, part, startedMs, endedMs }) => [
      { atMs: startedMs, text: `fault begins: ${kind} ${part}` },
      { atMs: endedMs, text: `fault ends: ${kind} ${part}` },
    ]);
  return [...own, ...around]
    .toSorted((a, b) => a.atMs - b.atMs)
    .map(({ atMs, text }) => `${new Date(atMs).toISOString()} ${text}`);
}

function acknowledgements(eventId: string, { queueWitness, workerWitness }: DrillStack): Moment[] {
  return [...queueWitness.acknowledgements, ...workerWitness.acknowledgements]
    .filter((one) => one.eventId === eventId)
    .map(({ path, atMs }) => ({ atMs, text: `acknowledged by the ${path}` }));
}

async function attempts(eventId: string, stack: DrillStack): Promise<Moment[]> {
  const traced = (await readApi(stack, `/api/events/${eventId}`)) as TracedEvent;
  const made = traced.attempts.map(({ at, ...attempt }) => ({
    atMs: Date.parse(at),
    text: `attempt: ${JSON.stringify(attempt)}`,
  }));
  return [...made, { atMs: Date.now(), text: `the worker says: ${traced.state}` }];
}

async function requests(eventId: string, stack: DrillStack): Promise<Moment[]> {
  const { requests: all } = (await readJson(`${stack.workosUrl}/__dev/requests`)) as WorkosRequests;
  return all
    .filter(({ idempotency_key: key }) => key?.split(":", 1)[0] === eventId)
    .map(({ at_ms: atMs, status, outcome }) => ({ atMs, text: `WorkOS: ${outcome}, answered ${status ?? "nothing"}` }));
}
