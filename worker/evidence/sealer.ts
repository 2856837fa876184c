/**
 * Seals quarters of an hour, one after the other. Each step is safe to repeat after a crash:
 *
 * 1. all shards of the ledger close the quarter, and a plan of its digests is stored;
 * 2. the leaves are written to the bucket;
 * 3. the digests are added to the log in one transaction: only now are they sealed;
 * 4. tiles and checkpoint are written to the bucket.
 */
import { quarterAt, quarterStartMs } from "../../shared/evidence/quarter.ts";
import type { Sha256 } from "../../shared/evidence/merkle.ts";
import { edgeRoot, entryBundle, TILE_WIDTH, tilePath } from "../../shared/evidence/tiles.ts";
import type { Closed, SealedEvent } from "../ledger/sealing.ts";
import { digestsOf, leavesText, type Digest, type DigestFacts } from "./digest.ts";
import { edgeOf, type IdsByShard, type LogState, type LogStore, type SealPlan } from "./log-store.ts";
import { copiesPath, leavesPath } from "./paths.ts";

/** Objects written in parallel. https://developers.cloudflare.com/workers/platform/limits/#simultaneous-open-connections */
const LANES = 6;

/** The shard that delivered an event. */
export type ShardOf = (id: string) => number;

export interface SealPorts {
  readonly sha256: Sha256;
  readonly shards: number;
  /** The quarter of the first event that was kept for the evidence; undefined if there is none. */
  readonly firstQuarter: () => Promise<number | undefined>;
  /** See `Sealing.close`; if `mayFreeze` is false, it does not close the quarter for good. */
  readonly close: (shard: number, quarter: number, mayFreeze: boolean) => Promise<Closed>;
  readonly facts: (fromMs: number, untilMs: number) => Promise<DigestFacts>;
  /** The bodies of events as compressed JSON lines, in order; absent if no copies are kept. */
  readonly copies?: ((events: readonly SealedEvent[], shardOf: ShardOf) => Promise<Uint8Array>) | undefined;
  readonly put: (path: string, content: string | Uint8Array) => Promise<void>;
  /** Signs and publishes the checkpoint of the log. */
  readonly publish: (size: number, root: Uint8Array) => Promise<void>;
}

/** Seals at most this many ended quarters; returns the state of the log. Rejects if a port does; the next call continues. */
export async function sealQuarters(store: LogStore, ports: SealPorts, nowMs: number, most: number): Promise<LogState> {
  let state = await publishLog(store, ports, store.read() ?? (await begin(store, ports, nowMs)));
  for (let sealed = 0; sealed < most && state.quarter < quarterAt(nowMs); sealed++) {
    state = await publishLog(store, ports, await sealQuarter(store, ports, state));
  }
  return state;
}

/** Events may have been kept before the log began, because the first round runs up to five minutes after a deployment. */
async function begin(store: LogStore, ports: SealPorts, nowMs: number): Promise<LogState> {
  const first = Math.min((await ports.firstQuarter()) ?? Infinity, quarterAt(nowMs));
  const state = { quarter: first, size: 0, published: 0, previous: null, edge: [], answeredAgain: {}, plan: null };
  store.keep(state);
  return state;
}

async function sealQuarter(store: LogStore, ports: SealPorts, before: LogState): Promise<LogState> {
  const { quarter, answeredAgain, size: number, previous } = before;
  const answers = await closeShards(ports, before);
  const plan = before.plan ?? (await planOf(ports, before, answers));
  const state = { ...before, plan };
  if (!before.plan) store.keep(state);
  const events = answers.flatMap((answer, shard) => eventsOf(answer, plan.few[shard], answeredAgain[shard]));
  const digests = digestsOf(ports.sha256, quarter, events, plan.facts, { number, previous });
  const shards = new Map(answers.flatMap(({ events: some }, shard) => some.map(([id]) => [id, shard] as const)));
  await writeLeaves(ports, digests, (id) => shards.get(id) ?? 0);
  return store.commit(state, digests, answeredNext(plan, answeredAgain));
}

function closeShards({ shards, close }: SealPorts, { quarter, plan }: LogState): Promise<readonly Closed[]> {
  return Promise.all(
    Array.from({ length: shards }, (_, shard) => close(shard, quarter, plan?.few[shard] === undefined)),
  );
}

async function planOf(
  ports: SealPorts,
  { quarter, answeredAgain }: LogState,
  answers: readonly Closed[],
): Promise<SealPlan> {
  const few: Record<string, readonly string[]> = {};
  for (const [shard, answer] of answers.entries()) {
    if (answer.isFrozen) continue;
    few[shard] = eventsOf(answer, undefined, answeredAgain[shard]).map(([id]) => id);
  }
  return { facts: await ports.facts(quarterStartMs(quarter), quarterStartMs(quarter + 1)), few };
}

/** The events of an answer that are planned and not yet in a digest. */
function eventsOf(
  { events }: Closed,
  planned: readonly string[] | undefined,
  sealed: readonly string[] = [],
): readonly SealedEvent[] {
  const known = new Set(sealed);
  const wanted = planned && new Set(planned);
  return events.filter(([id]) => !known.has(id) && (wanted?.has(id) ?? true));
}

/** A shard that closed the quarter for good never returns its events again. */
function answeredNext({ few }: SealPlan, before: IdsByShard): IdsByShard {
  const next = Object.entries(few).map(([shard, ids]) => [shard, [...(before[shard] ?? []), ...ids]] as const);
  return Object.fromEntries(next.filter(([, ids]) => ids.length > 0));
}

async function writeLeaves({ put, copies }: SealPorts, digests: readonly Digest[], shardOf: ShardOf): Promise<void> {
  const files = digests.flatMap(({ number, organizations }) => organizations.map((one) => ({ number, one })));
  await inLanes(files, async ({ number, one }) => {
    await put(leavesPath(number, one.id), leavesText(one));
    if (copies) await put(copiesPath(number, one.id), await copies(one.events, shardOf));
  });
}

/** Brings the bucket up to date with the log: entries and tiles first, so that a checkpoint never names a missing object. */
async function publishLog(store: LogStore, ports: SealPorts, state: LogState): Promise<LogState> {
  if (state.published === state.size) return state;
  const firstBundle = Math.floor(state.published / TILE_WIDTH);
  const entries = store.entries(firstBundle * TILE_WIDTH).map((text) => new TextEncoder().encode(text));
  for (let at = 0; at < entries.length; at += TILE_WIDTH) {
    const bundle = entries.slice(at, at + TILE_WIDTH);
    await ports.put(tilePath("entries", firstBundle + at / TILE_WIDTH, bundle.length), entryBundle(bundle));
  }
  for (const { level, index, width, bytes } of store.unpublishedTiles()) {
    await ports.put(tilePath(level, index, width), bytes);
  }
  await ports.publish(state.size, edgeRoot(ports.sha256, edgeOf(state)));
  return store.published(state);
}

async function inLanes<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items];
  const lane = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item);
  };
  await Promise.all(Array.from({ length: LANES }, lane));
}
