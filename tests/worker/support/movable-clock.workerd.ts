/** In place of `worker/clock.ts` in the worker of the tests: the same clock, which a test moves forward. */
import { env } from "cloudflare:workers";
import type { Clock } from "../../../worker/clock.ts";

/** How often a wait looks at the clock. */
const LOOK_EVERY_MS = 10;

/** A restarted worker keeps the time of the one before it. */
let offsetMs = Number((env as Record<string, unknown>)["TEST_CLOCK_OFFSET_MS"] ?? 0);

const now = () => Date.now() + offsetMs;
const sleep = (waitMs: number) => new Promise<void>((resolve) => setTimeout(resolve, waitMs));

export const systemClock: Clock = {
  now,
  async wait(waitMs) {
    for (const untilMs = now() + waitMs; now() < untilMs;) await sleep(Math.min(untilMs - now(), LOOK_EVERY_MS));
  },
  setAlarm: (storage, atMs) => storage.setAlarm(atMs - offsetMs),
  async getAlarm(storage) {
    const atMs = await storage.getAlarm();
    return atMs === null ? null : atMs + offsetMs;
  },
};

/** Moves the clock. The alarms that are set already follow with `moveAlarm`. */
export function moveClock(byMs: number): void {
  offsetMs += byMs;
}

/** Moves the alarm of one object, which rings at once if it is due now. */
export async function moveAlarm(storage: DurableObjectStorage, byMs: number): Promise<void> {
  const atMs = await storage.getAlarm();
  if (atMs !== null) await storage.setAlarm(atMs - byMs);
}
