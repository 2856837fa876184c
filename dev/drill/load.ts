/** The load of a drill: calls of every assurance level at a steady rate, whatever their results. */
import { setTimeout as sleep } from "node:timers/promises";
import { HEALTHY_CALLS } from "../demo/calls.ts";

export interface LoadCounts {
  readonly sent: number;
  readonly answered: number;
}

const CALL_TIMEOUT_MS = 15_000;

/** Sends `ratePerSecond` calls for `lengthMs`; calls `onSent` with the number so far. Resolves once all have ended. */
export async function runLoad(
  gatewayUrl: string,
  ratePerSecond: number,
  lengthMs: number,
  onSent: (sent: number) => void,
): Promise<LoadCounts> {
  const startedMs = performance.now();
  let sent = 0;
  const calls: Promise<boolean>[] = [];
  for (;;) {
    const elapsedMs = performance.now() - startedMs;
    if (elapsedMs >= lengthMs) break;
    for (; sent < (elapsedMs / 1000) * ratePerSecond; sent++) {
      calls.push(send(gatewayUrl, sent));
    }
    onSent(sent);
    await sleep(10);
  }
  const answered = await Promise.all(calls);
  return { sent, answered: answered.filter(Boolean).length };
}

/** Returns true if the gateway answered; a gateway that was killed does not. */
async function send(gatewayUrl: string, number: number): Promise<boolean> {
  const { method, path, token, body } = HEALTHY_CALLS[number % HEALTHY_CALLS.length] as (typeof HEALTHY_CALLS)[number];
  try {
    const response = await fetch(gatewayUrl + path, {
      method,
      headers: { ...(token && { authorization: `Bearer ${token}` }), "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(CALL_TIMEOUT_MS),
    });
    await response.arrayBuffer();
    return true;
  } catch {
    return false;
  }
}
