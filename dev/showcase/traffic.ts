/** Calls to the example API, one after the other, so that the charts of the console move. */
import { setTimeout as wait } from "node:timers/promises";
import { HEALTHY_CALLS } from "../demo/calls.ts";
import { sendCall } from "../demo/call.ts";

const EVERY_MS = 2_000;

/** Sends calls until the process ends. A call that fails, as while the parts stop, is followed by the next one. */
export async function keepTraffic(gatewayUrl: string): Promise<never> {
  for (let n = 0; ; n++) {
    const call = HEALTHY_CALLS[n % HEALTHY_CALLS.length];
    if (call) await sendCall(gatewayUrl, call).catch(() => undefined);
    await wait(EVERY_MS, undefined, { ref: false });
  }
}
