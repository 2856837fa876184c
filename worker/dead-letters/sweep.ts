/**
 * The sweep: reads QStash's own dead-letter queue and parks what the failure callbacks lost. It touches only messages with
 * our label that were meant for this worker, and removes nothing: an entry there goes once a replay of it was accepted.
 */
import { fromBase64 } from "../../shared/bytes.ts";
import { pausedBy } from "../monitor/paused-answer.ts";
import type { Env, Settings } from "../env.ts";
import { lookup } from "../ledger/client.ts";
import { isWorkerUrl } from "../worker-url.ts";
import { listDlq, type DlqEntry } from "../qstash/dlq.ts";
import type { Fetch } from "../qstash/request.ts";
import { deadLetters, parkDeadLetters } from "./client.ts";
import type { DeadLetterEntry } from "./entry.ts";
import { deadLettersOf, type FailedMessage } from "./failure.ts";
import type { SweepPosition } from "./sweep-position.ts";

/** Pages in one run, so that a run ends well before the next; a longer queue is read over several runs. Our choice. */
const PAGES_MAX = 40;
/** A rate limit that ends sooner is waited for within the run. Our choice. */
const WAIT_MAX_MS = 5_000;

export interface SweepResult {
  readonly looked: number;
  readonly parked: number;
  readonly ended: "complete" | "page_limit" | "rate_limited" | "failed" | "not_yet";
  /** Entries with our label whose URL is none of ours, by URL; absent unless one run saw the whole queue. */
  readonly foreign?: ReadonlyMap<string, number>;
}

/** One run; remembers how far it got. Never throws for what QStash answers. */
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
  if ((position.notBeforeMs ?? 0) > Date.now()) return { looked, parked, ended: "not_yet" };
  for (let pages = 0; pages < PAGES_MAX;) {
    const nowMs = Date.now();
    const page = await listDlq(settings, fetcher, cursor, nowMs);
    if (page.kind === "rate_limited") {
      if (page.untilMs - nowMs > WAIT_MAX_MS || pages === PAGES_MAX - 1) {
        return end("rate_limited", { cursor, notBeforeMs: page.untilMs });
      }
      await wait(page.untilMs - nowMs);
      pages++;
      continue;
    }
    // A cursor that QStash no longer knows must not stop the sweep for good: begin again.
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

/** Another environment may share the QStash account and the label, so the destination must be this worker's. */
function isOurs(entry: DlqEntry, settings: Settings): boolean {
  return isWorkerUrl(entry.url, "/deliver", settings);
}

/** A callback of ours that failed is ours too, though it holds no record. */
function isForeign(entry: DlqEntry, settings: Settings): boolean {
  return !isOurs(entry, settings) && !isWorkerUrl(entry.url, "/dead-letter", settings);
}

function failedMessage(entry: DlqEntry): FailedMessage {
  const bytes = entry.bodyBase64 === undefined ? undefined : fromBase64(entry.bodyBase64);
  return {
    body: bytes ?? new TextEncoder().encode(entry.body ?? ""),
    attempts: (entry.maxRetries ?? 0) + 1,
    status: entry.responseStatus,
    // Ours is ASCII; base64 in `responseBodyBase64` is somebody else's.
    pausedBy: pausedBy(entry.responseBody ?? ""),
    createdAtMs: entry.createdAt,
    messageId: entry.messageId,
    dlqId: entry.dlqId,
    source: "sweep",
  };
}
