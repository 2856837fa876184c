/** Records of the workload under new event ids, as many as are needed. */
import { randomBytes } from "node:crypto";
import { mintEventId } from "../../shared/event-id.ts";
import type { AuditRecord } from "../../shared/record.ts";
import { makeBodies, recordsOf } from "../worker/messages.ts";

/** As many as the policy puts into a message at most. */
export const MESSAGE_RECORDS = 20;
/** Different records; the same ones return under other ids. */
const SAMPLES = 1_000;

/** Draws the records that the others are made from. */
export async function makeSamples(): Promise<readonly AuditRecord[]> {
  const bodies = await makeBodies(SAMPLES / MESSAGE_RECORDS, MESSAGE_RECORDS);
  return bodies.flatMap(recordsOf);
}

interface Span {
  /** When the gateway minted the ids, ms since the epoch. */
  readonly atMs: number;
  readonly shard: number;
  /** The number of the first record, which picks the samples. */
  readonly first: number;
  readonly count: number;
}

/** Returns records of one gateway isolate, so that their ids are of one shard. */
export function recordsAt(
  samples: readonly AuditRecord[],
  { atMs, shard, first, count }: Span,
): readonly AuditRecord[] {
  return Array.from({ length: count }, (_, index) => {
    const sample = samples[(first + index) % samples.length];
    if (!sample) throw new RangeError('"samples" is empty');
    const id = mintEventId(atMs, randomBytes(9), shard);
    return { ...sample, id, occurredAtMs: atMs, requestId: id, sequence: first + index + 1 };
  });
}
