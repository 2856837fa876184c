/** Publishes the next records of a running replay, at its rate. A kill at any point repeats at most one batch, under the same ids. */
import { deduplicationId } from "../../shared/publish-headers.ts";
import type { AuditRecord } from "../../shared/record.ts";
import { encodeMessage } from "../../shared/wire.ts";
import { read } from "../archive/row.ts";
import type { BatchMessage, BatchResult } from "../qstash/batch.ts";
import { itemPublished, itemSkipped } from "./items.ts";
import { mendedFields, mendRecord } from "./mend.ts";
import type { ReplayRequest } from "./request.ts";
import { replayBySeq, requestOf, type ReplayRow } from "./store.ts";

/** Messages in one request to QStash. Our choice; its limit is 100 MB. */
const BATCH_MAX = 100;
/** Aim: two requests a second. */
const BATCH_SECONDS = 0.5;
/** A replay that fell behind catches up this much and no more, so that a pause of QStash ends without a burst. Our choice. */
const CATCH_UP_MS = 2_000;
const BACKOFF_MAX_MS = 60_000;
/** QStash refused this one message so often that it will not take it. Our choice. */
const REFUSALS_MAX = 5;

export type Publish = (messages: readonly BatchMessage[], nowMs: number) => Promise<BatchResult>;

interface Pending {
  readonly event_id: string;
  readonly n: number;
  readonly safe_until: number | null;
  readonly tries: number;
  readonly record: string | null;
}

/** One batch of one replay; sets when the next is due. */
export async function publishNext(
  storage: DurableObjectStorage,
  replay: ReplayRow,
  publish: Publish,
  now: () => number,
): Promise<void> {
  const { sql } = storage;
  const request = requestOf(replay);
  const size = Math.min(Math.max(Math.round(request.rate * BATCH_SECONDS), 1), BATCH_MAX);
  const startMs = now();
  const batch = storage.transactionSync(() => prepare(sql, replay, size, startMs));
  if (batch.length === 0) return;
  const messages = batch.map((item) => messageOf(item, replay, request));
  const result = await publish(messages, startMs);
  storage.transactionSync(() => {
    const nowMs = now();
    if (result.kind === "answered")
      for (const [index, item] of batch.entries()) settle(sql, replay.seq, item, result.messages[index], nowMs);
    const failures = result.kind === "answered" ? 0 : (replayBySeq(sql, replay.seq)?.failures ?? 0) + 1;
    const backoffMs = Math.min(1_000 * 2 ** failures, BACKOFF_MAX_MS);
    const paceMs = (batch.length / request.rate) * 1_000;
    const dueMs =
      result.kind === "answered"
        ? Math.max(replay.due_at + paceMs, nowMs - CATCH_UP_MS)
        : Math.max(nowMs + backoffMs, result.notBeforeMs ?? 0);
    sql.exec(
      "UPDATE replays SET failures = ?, due_at = ?, in_flight = '[]' WHERE seq = ?",
      failures,
      Math.ceil(dueMs),
      replay.seq,
    );
  });
}

/** Takes the next items and writes down that they are on their way, so that a cancel leaves them alone. */
function prepare(sql: SqlStorage, replay: ReplayRow, size: number, nowMs: number): Pending[] {
  const pending = read<Pending>(
    sql,
    `SELECT event_id, n, safe_until, tries, record FROM items JOIN dead_letters USING (event_id)
     WHERE items.replay = ? AND outcome = 'pending' ORDER BY event_id LIMIT ?`,
    replay.seq,
    size,
  );
  const isSafe = (item: Pending) => (item.safe_until === null || nowMs < item.safe_until) && item.record !== null;
  for (const item of pending)
    if (!isSafe(item)) itemSkipped(sql, replay.seq, item.event_id, "needs_accept_duplicates", nowMs);
  const batch = pending.filter(isSafe);
  sql.exec(
    "UPDATE replays SET in_flight = ? WHERE seq = ?",
    JSON.stringify(batch.map((item) => item.event_id)),
    replay.seq,
  );
  return batch;
}

/** The same item always makes the same message, so that QStash drops what it has taken already. */
function messageOf(item: Pending, replay: ReplayRow, request: ReplayRequest): BatchMessage {
  const stored = JSON.parse(item.record ?? "") as AuditRecord;
  const { record, changes } = mendRecord(stored, request.mend);
  const mended = mendedFields(stored, changes);
  const sent: AuditRecord = {
    ...record,
    replay: {
      id: replay.id,
      n: item.n,
      ...(mended.length > 0 ? { mended } : {}),
      ...(request.acceptDuplicates ? { acceptDuplicates: true } : {}),
    },
  };
  return { body: JSON.stringify(encodeMessage([sent])), deduplicationId: deduplicationId([sent]) };
}

type Taken = Extract<BatchResult, { kind: "answered" }>["messages"][number];

function settle(sql: SqlStorage, seq: number, item: Pending, taken: Taken | undefined, nowMs: number): void {
  if (taken && "messageId" in taken) return itemPublished(sql, seq, item.event_id, taken.messageId, nowMs);
  if (item.tries + 1 >= REFUSALS_MAX) return itemSkipped(sql, seq, item.event_id, "not_accepted", nowMs);
  sql.exec("UPDATE items SET tries = tries + 1 WHERE replay = ? AND event_id = ?", seq, item.event_id);
}
