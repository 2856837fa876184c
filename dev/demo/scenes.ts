/** The scenes of the demo: calls while everything is healthy, then calls while WorkOS is down. */
import { setTimeout as wait } from "node:timers/promises";
import type { Stack } from "../stack.ts";
import { waitForArrivals, type Arrival } from "./arrivals.ts";
import { HEALTHY_CALLS, OUTAGE_CALLS, WARM_UP_PATH } from "./calls.ts";
import { sendCall, type CallResult } from "./call.ts";
import type { Printer } from "./print.ts";
import { formatMs } from "./print.ts";

/** Ends a demo in which an event never arrives; on a busy machine the outbox alone may wait 16 s. */
const ARRIVAL_TIMEOUT_MS = 90_000;
/** Calls that share a message make fewer messages than calls; then the wait for one message per call lasts this long. */
const SPILL_TIMEOUT_MS = 20_000;
/** The queue's first retry comes a minute after the first attempt; see shared/retry-horizon.ts. */
const FIRST_RETRY_MS = 61_000;

const ASSURANCE_TEXT = {
  "best-effort": "best-effort: the answer waits for nothing",
  durable: "durable: the answer waits until the record is safe",
  required: "required: the handler waits until the intent is safe",
} as const;

/** Loads the gateway's modules, so that the first measured call is not the very first one. Not an audited route. */
export async function warmUp(stack: Stack): Promise<void> {
  await (await fetch(stack.gateway.url + WARM_UP_PATH)).arrayBuffer();
}

/** Sends every kind of request, and follows each from its answer to the event in WorkOS. */
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

/** WorkOS answers 503: callers notice nothing, the queue keeps the messages, and the events arrive later. */
export async function outageScene(stack: Stack, print: Printer): Promise<Arrival[]> {
  print.title("2  WorkOS is down: it answers 503 to everything");
  stack.workos.faults.add({ status: 503 });
  const results = await sendDuringOutage(stack, print);
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

/** The queue answers 503: the policy spills to the worker's outbox, which publishes them when the queue answers again. */
export async function spillScene(stack: Stack, print: Printer): Promise<Arrival[]> {
  print.title("3  The queue is down: records spill to the worker's outbox");
  stack.queue.setFaults({ publish: { status: 503 } });
  const results = await sendDuringOutage(stack, print);
  await waitForSpill(stack, results.length);
  print.step("the outbox holds them, on disk");
  stack.queue.clearFaults();
  print.note("the queue is back; the outbox tries again every few seconds");
  const arrivals = await waitForArrivals(results, () => stack.workos.events(), ARRIVAL_TIMEOUT_MS);
  for (const arrival of arrivals) print.arrival(arrival);
  return arrivals;
}

async function sendDuringOutage(stack: Stack, print: Printer): Promise<CallResult[]> {
  const results: CallResult[] = [];
  for (const call of OUTAGE_CALLS) {
    const result = await sendCall(stack.gateway.url, call);
    const took = formatMs(result.latencyMs);
    print.step(
      `${call.method} ${call.path} → ${result.status} in ${took} (${ASSURANCE_TEXT[call.assurance ?? "best-effort"]})`,
    );
    results.push(result);
  }
  return results;
}

/** Waits until each outage call was tried and the queue has stored the failure. */
async function waitForAttempts(stack: Stack, calls: number): Promise<void> {
  const deadline = performance.now() + ARRIVAL_TIMEOUT_MS;
  const failed = () => stack.workos.requests().filter(({ status }) => status === 503).length;
  while (failed() < calls && performance.now() < deadline) await wait(5);
  await stack.queue.idle();
}

/** Waits until the outbox holds a message for each call; calls may share one, so it waits for the last to arrive. */
async function waitForSpill(stack: Stack, calls: number): Promise<void> {
  const deadline = performance.now() + SPILL_TIMEOUT_MS;
  for (;;) {
    const health = (await (await fetch(`${stack.worker.url}/health`)).json()) as { outbox: { waiting: number } };
    if (health.outbox.waiting >= calls || performance.now() > deadline) return;
    await wait(20);
  }
}
