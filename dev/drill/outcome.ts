/** Reads how the records ended: the events of the WorkOS stand-in and the worker's dead letters. */
import { setTimeout as sleep } from "node:timers/promises";
import { control } from "./faults.ts";
import type { DrillStack } from "./stack.ts";
import { judge, type Verdict } from "./verdict.ts";

interface StoredEvents {
  readonly events: readonly { readonly event: { readonly metadata?: { readonly event_id?: string } } }[];
}

interface DeadLetters {
  readonly dead_letters: readonly { readonly event_id: string }[];
  readonly cursor?: string;
}

const PAGE = 500;
const READ_TIMEOUT_MS = 30_000;
/** The queue's clock runs this much faster once the load is over, so that retries of minutes take seconds. */
const SKIP_MS = 30_000;
const LOOK_EVERY_MS = 1000;

/**
 * Waits until every acknowledged record has ended, at most `patienceMs`, and returns the verdict at that time. Takes the verdict
 * again after a pause, because a second event for the same id would arrive late.
 */
export async function waitForVerdict(
  stack: DrillStack,
  patienceMs: number,
  onLook: (verdict: Verdict) => void,
): Promise<Verdict> {
  const deadlineMs = performance.now() + patienceMs;
  let calmLooks = 0;
  for (;;) {
    const verdict = await look(stack);
    onLook(verdict);
    calmLooks = verdict.missing.length === 0 ? calmLooks + 1 : 0;
    if (calmLooks > 2 || performance.now() > deadlineMs) return verdict;
    await control(`${stack.queueUrl}/__dev/clock`, "POST", { advance_ms: SKIP_MS });
    await sleep(LOOK_EVERY_MS);
  }
}

async function look(stack: DrillStack): Promise<Verdict> {
  const { events } = (await readJson(`${stack.workosUrl}/__dev/events`)) as StoredEvents;
  return judge({
    acknowledged: new Set(
      [...stack.queueWitness.acknowledgements, ...stack.workerWitness.acknowledgements].map(({ eventId }) => eventId),
    ),
    // An event without our id is not ours.
    stored: events.map(({ event }) => event.metadata?.event_id ?? ""),
    deadLetters: await openDeadLetters(stack),
  });
}

async function openDeadLetters(stack: DrillStack): Promise<readonly string[]> {
  const found: string[] = [];
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ state: "open", limit: String(PAGE), ...(cursor !== undefined && { cursor }) });
    const page = (await readApi(stack, `/api/dead-letters?${query.toString()}`)) as DeadLetters;
    found.push(...page.dead_letters.map(({ event_id }) => event_id));
    cursor = page.cursor;
  } while (cursor !== undefined);
  return found;
}

/** An answer of the worker's API. */
export function readApi(stack: DrillStack, path: string): Promise<unknown> {
  return readJson(stack.workerWitness.url + path, { authorization: `Bearer ${stack.adminToken}` });
}

/** Reads JSON from a loopback server; throws unless it answers with 2xx. */
export async function readJson(url: string, headers: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const answer = await fetch(url, { headers, signal: AbortSignal.timeout(READ_TIMEOUT_MS) });
  if (!answer.ok) throw new Error(`GET ${new URL(url).pathname} was answered with ${answer.status}`);
  return answer.json();
}
