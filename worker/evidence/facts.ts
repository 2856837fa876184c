/** What a digest says besides the events: dead letters, and gaps in the sequence numbers of the gateway's isolates. */
import { deadLetters } from "../dead-letters/client.ts";
import type { Env } from "../env.ts";
import { sequenceRuns } from "../ledger/client.ts";
import { countOf, isolatesOf } from "../ledger/sequence-gaps.ts";
import type { DigestFacts } from "./digest.ts";

/**
 * Younger records may still be on their way: an intent or a watchdog's record waits up to four minutes. So the sequence numbers
 * cover requests that began from five minutes before the start to five minutes before the end. Our choice.
 */
const SETTLE_MS = 5 * 60_000;

/** Returns the facts of a period as of now. */
export async function factsOf(
  env: Pick<Env, "LEDGER" | "ARCHIVE" | "clock">,
  fromMs: number,
  untilMs: number,
): Promise<DigestFacts> {
  const runsOf = async (sinceMs: number, endMs: number) =>
    (await Promise.all([sequenceRuns(env, sinceMs, endMs), deadLetters(env).sequences(sinceMs, endMs)])).flat();
  const [counts, runs, before, after] = await Promise.all([
    deadLetters(env).counts(fromMs, untilMs),
    runsOf(fromMs - SETTLE_MS, untilMs - SETTLE_MS),
    runsOf(fromMs - 2 * SETTLE_MS, fromMs - SETTLE_MS),
    runsOf(untilMs - SETTLE_MS, untilMs),
  ]);
  const isolates = isolatesOf(runs, [...before, ...after]);
  const missing = isolates.reduce((sum, isolate) => sum + countOf(isolate.missing), 0);
  return { dead_letters: counts, sequences: { isolates: isolates.length, missing } };
}
