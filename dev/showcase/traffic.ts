/** Calls the example API, one call after the other, so that the console's charts change. */
import { setTimeout as wait } from "node:timers/promises";
import { HEALTHY_CALLS } from "../demo/calls.ts";
import { sendCall } from "../demo/call.ts";

const EVERY_MS = 2_000;

/** Sends calls until the process ends. Continues after a failed call, for example while the parts stop. */
export async function keepTraffic(gatewayUrl: string): Promise<never> {
  for (let n = 0; ; n++) {
    const call = HEALTHY_CALLS[n % HEALTHY_CALLS.length];
    if (call) await sendCall(gatewayUrl, call).catch(() => undefined);
    await wait(EVERY_MS, undefined, { ref: false });
  }
}
