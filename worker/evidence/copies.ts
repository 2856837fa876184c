/** Copies: the bodies of events, one a line in the order of their leaves, compressed. */
import { canonicalJson } from "../../shared/evidence/canonical-json.ts";
import type { SealedEvent } from "../ledger/sealing.ts";
import type { ShardOf } from "./sealer.ts";

/** Events whose bodies are in memory at once: at most 30 MB at 60 kB each, usually less than 1 MB. Our choice. */
const PART_EVENTS = 500;

/** Reads the bodies of some events of a shard, by event id. */
type ReadBodies = (shard: number, ids: readonly string[]) => Promise<ReadonlyMap<string, string>>;

/** Returns the lines in gzip. An event delivered before copies were kept has no body and leaves an empty line. */
export async function copiesOf(
  events: readonly SealedEvent[],
  shardOf: ShardOf,
  readBodies: ReadBodies,
): Promise<Uint8Array> {
  const { readable, writable } = new CompressionStream("gzip");
  const compressed = new Response(readable).bytes();
  const writer = writable.getWriter();
  for (let at = 0; at < events.length; at += PART_EVENTS) {
    const part = events.slice(at, at + PART_EVENTS);
    await writer.write(new TextEncoder().encode(await linesOf(part, shardOf, readBodies)));
  }
  await writer.close();
  return compressed;
}

async function linesOf(events: readonly SealedEvent[], shardOf: ShardOf, readBodies: ReadBodies): Promise<string> {
  const byShard = Map.groupBy(
    events.map(([id]) => id),
    shardOf,
  );
  const parts = await Promise.all([...byShard].map(([shard, ids]) => readBodies(shard, ids)));
  const bodies = new Map(parts.flatMap((part) => [...part]));
  return events.map(([id]) => `${canonicalOf(bodies.get(id))}\n`).join("");
}

/** Bytes frozen by an earlier release may not be canonical. */
function canonicalOf(body: string | undefined): string {
  return body === undefined ? "" : canonicalJson(JSON.parse(body));
}
