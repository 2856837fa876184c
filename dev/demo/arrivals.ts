/** Matches what callers were answered with what WorkOS stored. */
import { setTimeout as wait } from "node:timers/promises";
import type { StoredEvent } from "../workos/server.ts";
import type { CallResult } from "./call.ts";

export interface Arrival {
  readonly result: CallResult;
  /** Every stored event of this request; exactly one is right. */
  readonly events: readonly StoredEvent[];
}

/** Pairs each call with its events. */
export function matchArrivals(results: readonly CallResult[], stored: readonly StoredEvent[]): Arrival[] {
  const byRequestId = Map.groupBy(stored, (event) => String(event.event.metadata?.request_id));
  return results.map((result) => ({ result, events: byRequestId.get(result.requestId) ?? [] }));
}

/** True where WorkOS holds one event of the call, with the action that was expected. */
export function isExact({ result, events }: Arrival): boolean {
  return events.length === 1 && events[0]?.event.action === result.call.expectAction;
}

/** Waits until every call has an event, at most `timeoutMs`; answers what is there then. */
export async function waitForArrivals(
  results: readonly CallResult[],
  stored: () => readonly StoredEvent[],
  timeoutMs: number,
): Promise<Arrival[]> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const arrivals = matchArrivals(results, stored());
    if (arrivals.every(({ events }) => events.length > 0) || performance.now() > deadline) return arrivals;
    await wait(5);
  }
}
