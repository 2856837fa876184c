/** What the demo does: calls while everything is healthy, then calls while WorkOS is down. */
import type { Stack } from "../stack.ts";
import { waitForArrivals, type Arrival } from "./arrivals.ts";
import { HEALTHY_CALLS, OUTAGE_CALLS, WARM_UP_PATH } from "./calls.ts";
import { sendCall, type CallResult } from "./call.ts";
import type { Printer } from "./print.ts";
import { formatMs } from "./print.ts";

const ARRIVAL_TIMEOUT_MS = 20_000;
/** The queue's first retry comes a minute after the first attempt; see shared/retry-horizon.ts. */
const FIRST_RETRY_MS = 61_000;

/** Loads the gateway's modules, so that the first measured call is not the first call at all. No audited route. */
export async function warmUp(stack: Stack): Promise<void> {
  await (await fetch(stack.gateway.url + WARM_UP_PATH)).arrayBuffer();
}

/** Every kind of request, each followed from its answer to the event that WorkOS stored. */
export async function healthyScene(stack: Stack, print: Printer): Promise<Arrival[]> {
  print.title("1  Requests through the gateway, each ends as one event in WorkOS");
  const arrivals: Arrival[] = [];
  for (const call of HEALTHY_CALLS) {
    const result = await sendCall(stack.gateway.url, call);
    const [arrival] = await waitForArrivals([result], () => stack.workos.events(), ARRIVAL_TIMEOUT_MS);
    if (arrival) print.arrival(arrival);
    arrivals.push(...(arrival ? [arrival] : []));
  }
  return arrivals;
}

/** WorkOS answers 503: the callers notice nothing, the queue keeps the messages, and the events arrive afterwards. */
export async function outageScene(stack: Stack, print: Printer): Promise<Arrival[]> {
  print.title("2  WorkOS is down: it answers 503 to everything");
  stack.workos.faults.add({ status: 503 });
  const results: CallResult[] = [];
  for (const call of OUTAGE_CALLS) {
    const result = await sendCall(stack.gateway.url, call);
    print.step(
      `${call.method} ${call.path} → ${result.status} in ${formatMs(result.latencyMs)}: the caller notices nothing`,
    );
    results.push(result);
  }
  await waitForAttempts(stack, results.length);
  const before = await waitForArrivals(results, () => stack.workos.events(), 0);
  print.step(
    `events of these calls in WorkOS: ${before.flatMap(({ events }) => events).length}; the queue holds them for a retry`,
  );
  stack.workos.faults.clear();
  print.note("WorkOS is back, and the queue's clock is moved ahead by a minute, to its first retry");
  stack.clock.advance(FIRST_RETRY_MS);
  const arrivals = await waitForArrivals(results, () => stack.workos.events(), ARRIVAL_TIMEOUT_MS);
  for (const arrival of arrivals) print.arrival(arrival);
  return arrivals;
}

/** Waits until each outage call was tried and the queue has taken note of the failure. */
async function waitForAttempts(stack: Stack, calls: number): Promise<void> {
  const deadline = performance.now() + ARRIVAL_TIMEOUT_MS;
  const failed = () => stack.workos.requests().filter(({ status }) => status === 503).length;
  while (failed() < calls && performance.now() < deadline) await new Promise((done) => setTimeout(done, 5));
  await stack.queue.idle();
}
