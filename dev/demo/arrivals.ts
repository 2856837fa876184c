/** Matches the answers that callers got with the events that WorkOS stored. */
import { setTimeout as wait } from "node:timers/promises";
import type { StoredEvent } from "../workos/server.ts";
import type { CallResult } from "./call.ts";

export interface Arrival {
  readonly result: CallResult;
  /** Every stored event of this request; there must be exactly one. */
  readonly events: readonly StoredEvent[];
  /** Events of API calls that the request made inside the gateway, each naming the request's event as its parent. */
  readonly children: readonly StoredEvent[];
}

/** Pairs each call with its events. */
function matchArrivals(results: readonly CallResult[], stored: readonly StoredEvent[]): Arrival[] {
  const byRequestId = Map.groupBy(stored, (event) => String(event.event.metadata?.request_id));
  return results.map((result) => {
    const all = byRequestId.get(result.requestId) ?? [];
    const [children = [], events = []] = [true, false].map((isChild) =>
      all.filter((event) => (event.event.metadata?.parent_event_id !== undefined) === isChild),
    );
    return { result, events, children };
  });
}

/** Returns true if WorkOS holds one event for the call and one for each API call that it made, as expected. */
export function isExact({ result: { call }, events: [event, ...more], children }: Arrival): boolean {
  const { expectAction, expectOutcome, expectChildAction } = call;
  const isRight =
    event?.event.action === expectAction &&
    (expectOutcome === undefined || event.event.metadata?.outcome === expectOutcome) &&
    children.every(({ event: child }) => child.metadata?.parent_event_id === event.event.metadata?.event_id);
  const childActions = children.map(({ event: child }) => child.action);
  return isRight && more.length === 0 && childActions.join() === (expectChildAction ?? "");
}

/** Waits until every call has an event, at most `timeoutMs`; returns what has arrived by then. */
export async function waitForArrivals(
  results: readonly CallResult[],
  stored: () => readonly StoredEvent[],
  timeoutMs: number,
): Promise<Arrival[]> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const arrivals = matchArrivals(results, stored());
    if (arrivals.every(isComplete) || performance.now() > deadline) return arrivals;
    await wait(5);
  }
}

function isComplete({ result, events, children }: Arrival): boolean {
  return events.length > 0 && (children.length > 0 || result.call.expectChildAction === undefined);
}
