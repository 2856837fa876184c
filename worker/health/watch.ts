/** The cron's checks: opens incidents that no request would notice, and closes those that are over. */
import { deadLetters } from "../dead-letters/client.ts";
import { DEAD_LETTER_CLASSES } from "../../shared/dead-letter.ts";
import type { Env } from "../env.ts";
import { shardStatuses } from "../ledger/client.ts";
import type { ShardStatus } from "../ledger/ledger.ts";
import { outboxStatus } from "../outbox/client.ts";
import { monitor, reportDeadLetter, reportIncident, resolveIncident } from "../monitor/client.ts";
import type { IncidentKind } from "../monitor/incidents.ts";
import type { OutboxStatus } from "../outbox/store.ts";
import { objectMaxBytes } from "../storage/size.ts";
import { nearlyFull } from "./nearly-full.ts";
import type { Group } from "../dead-letters/query.ts";
import { gaugesOf } from "../monitor/gauges.ts";
import { storageUse } from "./storage.ts";
import type { OwnKeys } from "../monitor/queue-switch.ts";

/** A record that waits longer for WorkOS, or a message for QStash, opens an incident. Our choice. */
const WAITS_TOO_LONG_MS = 15 * 60_000;
/** Time without a newer message version, or a refused event about an operator, after which its incident closes. Our choice. */
const QUIET_MS = 3_600_000;
/** Time without refused calls after which their incident closes. */
const REFUSED_QUIET_MS = 30 * 60_000;

/** One round. Each part reports by itself what it cannot reach. */
export async function watch(env: Env, nowMs: number): Promise<void> {
  const keys = await monitor(env).reconcile();
  const outbox = await outboxStatus(env);
  const [records, open] = await Promise.all([
    watchLedger(env, outbox, nowMs),
    watchDeadLetters(env, nowMs),
    watchQueue(env, outbox, keys, nowMs),
  ]);
  const messages = keys.kind === "known" ? keys.keys.reduce((sum, key) => sum + key.waiting, 0) : 0;
  if (records !== undefined) {
    await monitor(env).sampled(gaugesOf({ records, spilled: outbox.waiting, messages, open }));
  }
  await monitor(env).endQuiet("newer_message", nowMs - QUIET_MS);
  await monitor(env).endQuiet("operator_events_refused", nowMs - QUIET_MS);
  await monitor(env).endQuiet("deliveries_refused", nowMs - REFUSED_QUIET_MS);
  await monitor(env).endQuiet("requests_refused", nowMs - REFUSED_QUIET_MS);
}

/** Shards in which nothing waits. Nearly full ones are asked again, so that their incident stays open. */
function idleShards(shards: readonly ShardStatus[], maxBytes: number): readonly number[] {
  const isNearlyFull = ({ shard, bytes }: ShardStatus) => nearlyFull([{ object: "ledger", shard, bytes }], maxBytes);
  return shards.filter((status) => status.waiting === 0 && !isNearlyFull(status)).map(({ shard }) => shard);
}

/** Returns how many records wait for their next attempt; undefined if the ledger does not answer. */
async function watchLedger(env: Env, outbox: OutboxStatus, nowMs: number): Promise<number | undefined> {
  try {
    const shards = await shardStatuses(env, await monitor(env).activeShards());
    const oldest = shards.flatMap(({ oldestMs }) => oldestMs ?? []);
    // What waits during a pause waits for its end, and the pause has its own incident.
    if ((await monitor(env).status()).pause === null)
      await watchAge(env, "undelivered_too_long", "a record waits for WorkOS", oldest, nowMs);
    await resolveIncident(env, "ledger_unreachable");
    const full = nearlyFull(await storageUse(env, shards, outbox), objectMaxBytes(env));
    if (full === undefined) await resolveIncident(env, "storage_nearly_full");
    else await reportIncident(env, "storage_nearly_full", full, nowMs);
    await monitor(env).releaseShards(idleShards(shards, objectMaxBytes(env)));
    return shards.reduce((sum, { waiting }) => sum + waiting, 0);
  } catch {
    await reportIncident(env, "ledger_unreachable", "the ledger does not answer", nowMs);
    return undefined;
  }
}

async function watchQueue(env: Env, { oldestMs, failure }: OutboxStatus, keys: OwnKeys, nowMs: number): Promise<void> {
  await watchAge(
    env,
    "outbox_waits_too_long",
    "a spilled message waits for QStash",
    oldestMs === null ? [] : [oldestMs],
    nowMs,
  );
  if (keys.kind === "unreachable") {
    await reportIncident(env, "queue_unreachable", `QStash does not answer (${keys.reason})`, nowMs);
  } else if (failure === null) await resolveIncident(env, "queue_unreachable");
}

async function watchAge(env: Env, kind: IncidentKind, what: string, times: readonly number[], nowMs: number) {
  const oldest = Math.min(...times);
  if (nowMs - oldest <= WAITS_TOO_LONG_MS) return resolveIncident(env, kind);
  return reportIncident(env, kind, `${what} since ${new Date(oldest).toISOString()}`, nowMs);
}

/** Returns the open dead letters by class. */
async function watchDeadLetters(env: Env, nowMs: number): Promise<readonly Group[]> {
  const { groups } = await deadLetters(env).groups({}, ["open"], "class");
  const open = new Set(groups.map(({ value }) => value));
  await Promise.all(
    DEAD_LETTER_CLASSES.map((name) =>
      open.has(name) ? reportDeadLetter(env, name, nowMs) : resolveIncident(env, `dead_letters_${name}`),
    ),
  );
  return groups;
}
