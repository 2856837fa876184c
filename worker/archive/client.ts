/** The archive from outside. */
import type { Env } from "../env.ts";
import { markParked } from "../ledger/client.ts";
import type { Archive } from "./archive.ts";
import type { DeadLetterEntry } from "./dead-letter.ts";

/** The one archive. */
export function archive(env: Pick<Env, "ARCHIVE">) {
  return (env.ARCHIVE as DurableObjectNamespace<Archive>).getByName("archive");
}

/**
 * Archives what QStash gave up on, then tells the ledger that nothing waits for a next attempt. `lookedAt` names entries of
 * QStash's dead-letter queue that need no second look. Answers how many failures were new.
 */
export async function parkDeadLetters(
  env: Pick<Env, "ARCHIVE" | "LEDGER">,
  entries: readonly DeadLetterEntry[],
  lookedAt: readonly string[],
): Promise<number> {
  const fresh = await archive(env).park(entries, lookedAt);
  const read = entries.filter((entry) => entry.record !== undefined).map((entry) => entry.eventId);
  await markParked(env, read);
  return fresh;
}
