/** What becomes of the records of an outage under a fixed schedule of retries, as other systems publish theirs. */

/** When the records of an outage were delivered. */
export interface Ended {
  /** From the request to the stored event, in ms, for each record that was delivered. */
  readonly latenessMs: readonly number[];
  /** From the end of the outage to the last delivery, in ms. */
  readonly recoveredAfterMs: number;
  /** Records whose attempts were used up. */
  readonly deadLetters: number;
  /** Most attempts that one message used up. */
  readonly mostAttempts: number;
}

export interface Outage {
  readonly lengthMs: number;
  readonly recordsPerSecond: number;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

/** Waits between attempts, in ms, without jitter. */
export const SCHEDULES: Readonly<Record<string, readonly number[]>> = {
  // `e^(2.5 n)` seconds. https://upstash.com/docs/qstash/features/retry
  "QStash's default, 3 retries": [1, 2, 3].map((n) => Math.exp(2.5 * n) * SECOND_MS),
  // https://docs.svix.com/retries
  Svix: [5 * SECOND_MS, 5 * MINUTE_MS, 30 * MINUTE_MS, 2 * HOUR_MS, 5 * HOUR_MS, 10 * HOUR_MS, 10 * HOUR_MS],
  // Linear, 10 retries of 100 s. https://github.com/frain-dev/convoy
  "Convoy, its default": Array.from({ length: 10 }, () => 100 * SECOND_MS),
  // Doubled from 30 s, 10 retries. https://github.com/hookdeck/outpost
  Outpost: Array.from({ length: 10 }, (_, n) => 30 * SECOND_MS * 2 ** n),
};

/** When each record of the outage arrives, in ms from its start. */
export function arrivalsOf({ lengthMs, recordsPerSecond }: Outage): readonly number[] {
  const gapMs = 1_000 / recordsPerSecond;
  return Array.from({ length: Math.floor(lengthMs / gapMs) }, (_, n) => n * gapMs);
}

/** Every attempt before the end of the outage fails, and every one after it succeeds; no pace limits them. */
export function underSchedule(delaysMs: readonly number[], outage: Outage): Ended {
  const latenessMs: number[] = [];
  let [deadLetters, mostAttempts, lastMs] = [0, 0, 0];
  for (const arrivedMs of arrivalsOf(outage)) {
    let atMs = arrivedMs;
    let attempts = 1;
    for (const delayMs of delaysMs) {
      if (atMs >= outage.lengthMs) break;
      atMs += delayMs;
      attempts += 1;
    }
    mostAttempts = Math.max(mostAttempts, attempts);
    if (atMs < outage.lengthMs) deadLetters += 1;
    else {
      latenessMs.push(atMs - arrivedMs);
      lastMs = Math.max(lastMs, atMs);
    }
  }
  return { latenessMs, deadLetters, mostAttempts, recoveredAfterMs: Math.max(lastMs - outage.lengthMs, 0) };
}
