/** Sends audited requests to the laptop stack at a given pace and measures the time until WorkOS has stored each event. */
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { AuditError } from "../../shared/errors.ts";
import type { Stack } from "../../dev/stack.ts";
import type { StoredEvent } from "../../dev/workos/types.ts";

/** An event that takes longer counts as lost. Our choice. */
const PATIENCE_MS = 30_000;
const POLL_MS = 20;
/** Enough to see an event that is stored twice. Our choice. */
const REST_MS = 200;

/** A request that the gateway answered. */
interface SentRequest {
  readonly requestId: string;
  /** ms since the epoch. */
  readonly startedAtMs: number;
}

export interface Delays {
  /** From the start of the request to the stored event, in ms. */
  readonly delaysMs: readonly number[];
  readonly lost: number;
  readonly doubled: number;
}

/** Sends one request to a path at each time, in ms from now, whether or not earlier ones were answered, and waits for their events. */
export async function measureDelays(
  stack: Pick<Stack, "gateway" | "workos">,
  path: string,
  timesMs: readonly number[],
): Promise<Delays> {
  const before = stack.workos.events().length;
  const sent = await sendAt(stack.gateway.url + path, timesMs);
  const deadlineMs = Date.now() + PATIENCE_MS;
  while (stack.workos.events().length < before + sent.length && Date.now() < deadlineMs) await sleep(POLL_MS);
  await sleep(REST_MS);
  return delaysOf(sent, stack.workos.events().slice(before));
}

async function sendAt(url: string, timesMs: readonly number[]): Promise<readonly SentRequest[]> {
  const startMs = performance.now();
  return Promise.all(
    timesMs.map(async (atMs) => {
      await sleep(startMs + atMs - performance.now());
      const requestId = randomUUID();
      const startedAtMs = Date.now();
      await send(url, requestId);
      return { requestId, startedAtMs };
    }),
  );
}

/** The same request for each policy: the documented one keeps `extra` of the body and the address that Zuplo's edge sets. */
async function send(url: string, requestId: string): Promise<void> {
  const response = await fetch(url, {
    method: "POST",
    headers: {
      authorization: "Bearer ada",
      "content-type": "application/json",
      "true-client-ip": "203.0.113.7",
      "user-agent": "audit-forwarder-bench",
      "zp-rid": requestId,
    },
    body: JSON.stringify({ email: "grace@example.com", role: "member", extra: requestId }),
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  const text = await response.text();
  if (response.status !== 201) throw new AuditError("internal", `${url} answered ${response.status}: ${text}`);
}

/** Pairs requests with their events by the request id; of two events the first counts. */
export function delaysOf(sent: readonly SentRequest[], stored: readonly StoredEvent[]): Delays {
  const byRequestId = Map.groupBy(stored, ({ event }) =>
    String(event.metadata?.["request_id"] ?? event.metadata?.["extra"]),
  );
  const found = sent.map(({ requestId, startedAtMs }) => {
    const events = byRequestId.get(requestId) ?? [];
    return { count: events.length, delayMs: (events[0]?.received_at_ms ?? Infinity) - startedAtMs };
  });
  return {
    delaysMs: found.filter(({ count }) => count > 0).map(({ delayMs }) => delayMs),
    lost: found.filter(({ count }) => count === 0).length,
    doubled: found.filter(({ count }) => count > 1).length,
  };
}
