/**
 * The sweep: reads QStash's own dead-letter queue and stores what the failure callbacks missed. It handles only messages with our
 * label that were meant for this worker. It removes nothing: an entry goes once QStash has accepted a replay of it.
 */
import { fromBase64 } from "../../shared/bytes.ts";
import { pausedBy } from "../monitor/paused-answer.ts";
import type { Env } from "../env.ts";
import type { Settings } from "../variables.ts";
import { lookup } from "../ledger/client.ts";
import { isWorkerUrl } from "../worker-url.ts";
import { listDlq, type DlqEntry } from "../qstash/dlq.ts";
import type { Fetch } from "../qstash/request.ts";
import { deadLetters, parkDeadLetters } from "./client.ts";
import type { DeadLetterEntry } from "./entry.ts";
import { deadLettersOf, type FailedMessage } from "./failure.ts";
import type { SweepPosition } from "./sweep-position.ts";

/** Pages per run, so that a run ends well before the next; a longer queue takes several runs. Our choice. */
const PAGES_MAX = 40;
/** The run waits out a rate limit that is no longer than this. Our choice. */
const WAIT_MAX_MS = 5_000;

export interface SweepResult {
  readonly looked: number;
  readonly parked: number;
  readonly ended: "complete" | "page_limit" | "rate_limited" | "failed" | "not_yet";
  /** Entries with our label but another URL, by URL; absent unless one run read the whole queue. */
  readonly foreign?: ReadonlyMap<string, number>;
}

/** Runs once and remembers how far it got. Never throws because of QStash's answer. */
export async function sweep(
  env: Env,
  settings: Settings,
  fetcher: Fetch = fetch,
  wait: (ms: number) => Promise<unknown> = (ms) => scheduler.wait(ms),
): Promise<SweepResult> {
  const store = deadLetters(env);
  const position = await store.sweepPosition();
  let { cursor } = position;
  let looked = 0;
  let parked = 0;
  const isWhole = cursor === undefined;
  const foreign = new Map<string, number>();
  const end = async (ended: SweepResult["ended"], next: SweepPosition): Promise<SweepResult> => {
    await store.keepSweepPosition(next);
    return { looked, parked, ended, ...(isWhole && ended === "complete" ? { foreign } : {}) };
  };
  if ((position.notBeforeMs ?? 0) > env.clock.now()) return { looked, parked, ended: "not_yet" };
  for (let pages = 0; pages < PAGES_MAX;) {
    const nowMs = env.clock.now();
    const page = await listDlq(settings, fetcher, cursor, nowMs);
    if (page.kind === "rate_limited") {
      if (page.untilMs - nowMs > WAIT_MAX_MS || pages === PAGES_MAX - 1) {
        return end("rate_limited", { cursor, notBeforeMs: page.untilMs });
      }
      await wait(page.untilMs - nowMs);
      pages++;
      continue;
    }
    // If QStash no longer knows the cursor, begin again: otherwise the sweep would stop for good.
    if (page.kind === "failed") return end("failed", page.status === undefined || page.status >= 500 ? { cursor } : {});
    parked += await parkPage(env, settings, page.entries, nowMs);
    for (const { url } of page.entries.filter((entry) => isForeign(entry, settings))) {
      foreign.set(url, (foreign.get(url) ?? 0) + 1);
    }
    looked += page.entries.length;
    cursor = page.cursor;
    pages++;
    if (cursor === undefined) return end("complete", {});
    await store.keepSweepPosition({ cursor });
  }
  return end("page_limit", { cursor });
}

async function parkPage(env: Env, settings: Settings, page: readonly DlqEntry[], nowMs: number): Promise<number> {
  const ours = page.filter((entry) => isOurs(entry, settings));
  if (ours.length === 0) return 0;
  const fresh = new Set(await deadLetters(env).unsighted(ours.map((entry) => entry.dlqId)));
  const unseen = ours.filter((entry) => fresh.has(entry.dlqId));
  if (unseen.length === 0) return 0;
  const found: DeadLetterEntry[] = [];
  for (const entry of unseen)
    found.push(...(await deadLettersOf(failedMessage(entry), (ids) => lookup(env, ids), nowMs)));
  return parkDeadLetters(env, found, [...fresh]);
}

/** Another environment may share the QStash account and the label, so the destination must be this worker. */
function isOurs(entry: DlqEntry, settings: Settings): boolean {
  return isWorkerUrl(entry.url, "/deliver", settings);
}

/** A failed callback to this worker counts as ours, although it holds no record. */
function isForeign(entry: DlqEntry, settings: Settings): boolean {
  return !isOurs(entry, settings) && !isWorkerUrl(entry.url, "/dead-letter", settings);
}

function failedMessage(entry: DlqEntry): FailedMessage {
  const bytes = entry.bodyBase64 === undefined ? undefined : fromBase64(entry.bodyBase64);
  return {
    body: bytes ?? new TextEncoder().encode(entry.body ?? ""),
    attempts: (entry.maxRetries ?? 0) + 1,
    status: entry.responseStatus,
    // Our answers are ASCII; base64 in `responseBodyBase64` comes from someone else.
    pausedBy: pausedBy(entry.responseBody ?? ""),
    createdAtMs: entry.createdAt,
    messageId: entry.messageId,
    dlqId: entry.dlqId,
    source: "sweep",
  };
}
