/** The archive from outside. */
import type { Env } from "../env.ts";
import { markParked } from "../ledger/client.ts";
import type { Archive } from "./archive.ts";
import type { DeadLetterEntry } from "./dead-letter.ts";

/** Characters of entries in one call: an RPC carries at most 32 MiB. https://developers.cloudflare.com/workers/runtime-apis/rpc/ */
const PARK_MAX_CHARS = 4_000_000;

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
  let fresh = 0;
  for (const part of partsOf(entries)) fresh += await archive(env).park(part);
  // Only now: what is looked at is never looked at again.
  if (lookedAt.length > 0) await archive(env).park([], lookedAt);
  const readable = entries.filter((entry) => entry.record !== undefined).map((entry) => entry.eventId);
  await markParked(env, readable);
  return fresh;
}

function partsOf(entries: readonly DeadLetterEntry[]): DeadLetterEntry[][] {
  const parts: DeadLetterEntry[][] = [];
  let left = 0;
  for (const entry of entries) {
    const size = JSON.stringify(entry).length;
    if (size > left) {
      parts.push([]);
      left = PARK_MAX_CHARS;
    }
    parts.at(-1)?.push(entry);
    left -= size;
  }
  return parts;
}
