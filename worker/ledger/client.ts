/** The client of the ledger: one Durable Object per shard, one RPC per message and shard. */
import { shardOf } from "../../shared/event-id.ts";
import { LEDGER_SHARDS } from "../../shared/limits.ts";
import type { Env } from "../env.ts";
import { formerShardOf, shardName } from "./former-shard.ts";
import { parseFates, type Fate } from "./fates.ts";
import type { Ledger, ShardStatus } from "./ledger.ts";
import { freshGrant } from "./rules.ts";
import type {
  Claim,
  Grant,
  LedgerEntry,
  LedgerPort,
  RequestSearch,
  SequenceRun,
  Settlement,
  WaitingEvent,
  WaitingSince,
} from "./types.ts";
import type { Closed } from "./sealing.ts";

type LedgerEnv = Pick<Env, "LEDGER" | "clock">;

/** More than the messages under way when WorkOS goes down, each of up to a hundred records. Our choice. */
const WAITING_PER_SHARD = 500;

const SHARDS: readonly number[] = Array.from({ length: LEDGER_SHARDS }, (_, shard) => shard);

/** Returns the shards that may hold some event ids, former ones included. */
export function shardsOf(ids: readonly string[]): readonly number[] {
  const shards = new Set(ids.map((id) => shardOf(id, LEDGER_SHARDS)));
  return [...new Set([...shards].flatMap((shard) => [shard, formerShardOf(shard) ?? shard]))];
}

/** Returns what the ledger knows of some event ids, without those it does not know. One RPC per shard. */
export async function lookup(env: LedgerEnv, ids: readonly string[]): Promise<Map<string, LedgerEntry>> {
  const parts = await eachShard(
    ids,
    (id) => id,
    (shard, group) => ledger(env, shard).lookup(group, env.clock.now()),
  );
  return new Map(parts.flat().map((entry) => [entry.id, entry]));
}

/** Like `lookup`, for many ids, with only the fields that a plan needs. */
export async function fatesOf(env: LedgerEnv, ids: readonly string[]): Promise<Map<string, Fate>> {
  const parts = await eachShard(
    ids,
    (id) => id,
    (shard, group) => ledger(env, shard).fates(group),
  );
  return new Map(
    parts
      .flat()
      .flatMap(parseFates)
      .map((fate) => [fate.id, fate]),
  );
}

/**
 * Discards a record for an operator, so that no later delivery sends it. Returns the state afterwards: `delivered` if WorkOS
 * already has it, `leased` if a delivery is under way (ask again), `discarded` otherwise, also for an unknown id.
 */
export async function markDiscarded(
  env: LedgerEnv,
  id: string,
  reason: string,
): Promise<"discarded" | "delivered" | "leased"> {
  return await ledger(env, shardOf(id, LEDGER_SHARDS)).discard(id, reason, env.clock.now());
}

/** Discards many records; returns the state afterwards by id. One RPC per shard. */
export async function markManyDiscarded(
  env: LedgerEnv,
  ids: readonly string[],
  reason: string,
): Promise<ReadonlyMap<string, "discarded" | "delivered" | "leased">> {
  const parts = await eachShard(
    ids,
    (id) => id,
    (shard, group) => ledger(env, shard).discardMany(group, reason, env.clock.now()),
  );
  return new Map(parts.flat().map(({ id, end }) => [id, end]));
}

/** Notes that these records are dead letters, so that they no longer count as waiting for an attempt. */
export async function markParked(env: LedgerEnv, ids: readonly string[]): Promise<void> {
  await eachShard(
    ids,
    (id) => id,
    (shard, group) => ledger(env, shard).parked(group),
  );
}

/** Returns records of a request id; asks every shard. Each returns its lowest ids, so a page of `limit` misses none. */
export async function findByRequest(env: LedgerEnv, search: RequestSearch): Promise<readonly LedgerEntry[]> {
  return (await Promise.all(allShards(env).map((shard) => shard.findByRequest(search)))).flat();
}

/** Returns records of some shards that wait for their next attempt, longest wait since the last attempt first. */
export async function waitingSince(env: LedgerEnv, shards: readonly number[]): Promise<readonly WaitingSince[]> {
  const parts = await Promise.all(shards.map((shard) => ledger(env, shard).waitingSince(WAITING_PER_SHARD)));
  return parts.flat().toSorted((left, right) => left.touchedMs - right.touchedMs);
}

/** Leases a waiting record and returns what to send; undefined if it may not be sent now. */
export async function claimWaiting(
  env: LedgerEnv,
  id: string,
  lease: string,
  nowMs: number,
): Promise<WaitingEvent | undefined> {
  return await ledger(env, shardOf(id, LEDGER_SHARDS)).claimWaiting(id, lease, nowMs);
}

/** Returns runs of the sequence numbers whose event ids were minted between two times; asks every shard. */
export async function sequenceRuns(env: LedgerEnv, sinceMs: number, untilMs: number): Promise<readonly SequenceRun[]> {
  return (await Promise.all(allShards(env).map((shard) => shard.sequenceRuns(sinceMs, untilMs)))).flat();
}

/** When the newest record that a nearly full shard forgot early was minted, ms since the epoch; 0 if there is none. */
export async function forgottenUntil(env: LedgerEnv): Promise<number> {
  return Math.max(...(await shardStatuses(env)).map(({ forgottenMs }) => forgottenMs));
}

/** Returns the counters of each shard and what waits there; asks all shards unless some are named. */
export function shardStatuses(env: LedgerEnv, shards: readonly number[] = SHARDS): Promise<readonly ShardStatus[]> {
  return Promise.all(shards.map(async (shard) => ({ shard, ...(await ledger(env, shard).status()) })));
}

/** Closes a quarter in one shard for the evidence, and returns what it delivered; see `Sealing.close`. */
export async function closeQuarter(
  env: LedgerEnv,
  shard: number,
  quarter: number,
  mayFreeze: boolean,
): Promise<Closed> {
  return JSON.parse(await ledger(env, shard).closeQuarter(quarter, mayFreeze)) as Closed;
}

/** Returns the bytes of events that a shard delivered, by event id; empty if no copies are kept. */
export async function bodiesIn(
  env: LedgerEnv,
  shard: number,
  ids: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  return new Map(JSON.parse(await ledger(env, shard).bodies(ids)) as readonly [string, string][]);
}

/** Returns the quarter of the first event that was kept for the evidence and is in no digest; undefined if there is none. */
export async function firstSealedQuarter(env: LedgerEnv): Promise<number | undefined> {
  const quarters = await Promise.all(allShards(env).map((shard) => shard.nextQuarter()));
  const known = quarters.flatMap((quarter) => quarter ?? []);
  return known.length === 0 ? undefined : Math.min(...known);
}

function allShards(env: LedgerEnv) {
  return SHARDS.map((shard) => ledger(env, shard));
}

/** The ledger of all shards, as a delivery uses it. */
export function ledgerPort(env: LedgerEnv): LedgerPort {
  return {
    async claim(lease, claims, nowMs): Promise<readonly Grant[]> {
      const parts = await eachShard(claims, idOf, async (shard, group) => {
        const json = JSON.stringify(group);
        const granted = await twice(() => ledger(env, shard).claim(lease, json, group.length, nowMs));
        return granted ?? group.map(({ id }) => freshGrant(id, nowMs));
      });
      return parts.flat();
    },
    async settle(lease, settlements, nowMs) {
      await eachShard(settlements, idOf, (shard, group) =>
        ledger(env, shard).settle(lease, JSON.stringify(group), nowMs),
      );
    },
  };
}

/** The Durable Object of one shard, 0 to `LEDGER_SHARDS` - 1. */
export function ledger(env: LedgerEnv, shard: number) {
  return (env.LEDGER as DurableObjectNamespace<Ledger>).getByName(shardName(shard));
}

/**
 * Retries once if a Durable Object was reset during the call, such as in a deploy: that costs less than waiting for QStash's retry.
 * The call must be safe to repeat.
 */
async function twice<T>(call: () => Promise<T>): Promise<T> {
  try {
    return await call();
  } catch {
    return await call();
  }
}

function idOf({ id }: Claim | Settlement): string {
  return id;
}

async function eachShard<T, R>(
  items: readonly T[],
  idOfItem: (item: T) => string,
  call: (shard: number, group: readonly T[]) => Promise<R>,
): Promise<R[]> {
  const groups = new Map<number, T[]>();
  for (const item of items) {
    const shard = shardOf(idOfItem(item), LEDGER_SHARDS);
    const group = groups.get(shard);
    if (group) group.push(item);
    else groups.set(shard, [item]);
  }
  return Promise.all([...groups].map(([shard, group]) => call(shard, group)));
}
