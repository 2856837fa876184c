/** Publishes the next records of a running replay at its rate. A crash at any point repeats at most one batch, under the same ids. */
import { deduplicationId } from "../../shared/qstash-headers.ts";
import type { AuditRecord, ImportMark } from "../../shared/record.ts";
import { encodeMessage } from "../../shared/wire.ts";
import { log } from "../log.ts";
import type { BatchMessage, BatchResult } from "../qstash/batch.ts";
import { readSummaries } from "../dead-letters/store.ts";
import { itemPublished, itemSkipped } from "./items.ts";
import { mendedFields, mendRecord } from "./mended-record.ts";
import type { ReplayRequest } from "./request.ts";
import { requestOf, type ReplayRow } from "./store.ts";
import type { Sql } from "../storage/sql.ts";

/** Messages per request to QStash. Our choice; its limit is 100 MB. */
const BATCH_MAX = 100;
/** Target: two requests a second. */
const BATCH_SECONDS = 0.5;
/** Most time that a delayed replay catches up, so that a pause of QStash does not end in a burst. Our choice. */
const CATCH_UP_MS = 2_000;
const BACKOFF_MAX_MS = 60_000;
/** Refusals after which QStash will not accept this message. Our choice. */
const REFUSALS_MAX = 5;

export type Publish = (messages: readonly BatchMessage[], nowMs: number) => Promise<BatchResult>;

interface Pending {
  readonly event_id: string;
  readonly n: number;
  readonly safe_until: number | null;
  readonly tries: number;
  readonly record: string | null;
  readonly imported: string | null;
}

/** Publishes one batch of one replay; sets when the next is due. */
export async function publishNext(sql: Sql, replay: ReplayRow, publish: Publish, now: () => number): Promise<void> {
  const request = requestOf(replay);
  const size = Math.min(Math.max(Math.round(request.rate * BATCH_SECONDS), 1), BATCH_MAX);
  const startMs = now();
  const batch = sql.transaction(() => prepare(sql, replay, size, startMs));
  if (batch.length === 0) return;
  const messages = batch.map((item) => messageOf(item, replay, request));
  const result = await publish(messages, startMs);
  sql.transaction(() => {
    const nowMs = now();
    const taken = result.kind === "answered" ? result.messages : [];
    for (const [index, message] of taken.entries()) settle(sql, replay.seq, batch[index], message, nowMs);
    // If not even one is accepted, QStash or all messages have a problem: come back later.
    const isStuck = !taken.some((message) => "messageId" in message);
    const failures = isStuck ? replay.failures + 1 : 0;
    const paceMs = (batch.length / request.rate) * 1_000;
    const backoffMs = Math.min(1_000 * 2 ** failures, BACKOFF_MAX_MS);
    const notBeforeMs = result.kind === "failed" ? (result.notBeforeMs ?? 0) : 0;
    const dueMs = isStuck
      ? Math.max(nowMs + backoffMs, notBeforeMs)
      : Math.max(replay.due_at + paceMs, nowMs - CATCH_UP_MS);
    sql.all("UPDATE replays SET failures = ?, due_at = ? WHERE seq = ?", failures, Math.ceil(dueMs), replay.seq);
    // Without an answer, nobody knows what QStash has accepted: the next batch begins with the same records.
    if (result.kind === "answered") sql.all("UPDATE replays SET in_flight = '[]' WHERE seq = ?", replay.seq);
  });
}

/** Takes the next items and stores that they are on their way, so that a cancel leaves them alone. */
function prepare(sql: Sql, replay: ReplayRow, size: number, nowMs: number): Pending[] {
  const query = `SELECT event_id, n, safe_until, tries FROM items
    WHERE replay = ? AND outcome = 'pending' ORDER BY event_id LIMIT ?`;
  const items = sql.all<Omit<Pending, "record" | "imported">>(query, replay.seq, size);
  const letters = readSummaries(
    sql,
    items.map((item) => item.event_id),
    true,
  );
  const pending = items.map((item): Pending => {
    const { record = null, imported = null } = letters.get(item.event_id) ?? {};
    return Object.assign(item, { record, imported });
  });
  const isSafe = (item: Pending) => (item.safe_until === null || nowMs < item.safe_until) && item.record !== null;
  for (const item of pending)
    if (!isSafe(item)) itemSkipped(sql, replay.seq, item.event_id, "needs_accept_duplicates", nowMs);
  const batch = pending.filter(isSafe);
  sql.all(
    "UPDATE replays SET in_flight = ? WHERE seq = ?",
    JSON.stringify(batch.map((item) => item.event_id)),
    replay.seq,
  );
  return batch;
}

/** The same item always makes the same message, so that QStash drops duplicates. */
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
      ...(item.imported === null ? {} : { imported: JSON.parse(item.imported) as ImportMark }),
    },
  };
  return { body: JSON.stringify(encodeMessage([sent])), deduplicationId: deduplicationId([sent]) };
}

type Taken = Extract<BatchResult, { kind: "answered" }>["messages"][number];

function settle(sql: Sql, seq: number, item: Pending | undefined, taken: Taken, nowMs: number): void {
  if (!item) return;
  const { event_id, tries } = item;
  if ("messageId" in taken) return itemPublished(sql, seq, event_id, taken.messageId, nowMs);
  log("audit.replay_message_refused", "WARN", { "audit.event_id": event_id, "audit.detail": taken.error });
  if (tries + 1 >= REFUSALS_MAX) return itemSkipped(sql, seq, event_id, "not_accepted", nowMs);
  sql.all("UPDATE items SET tries = tries + 1 WHERE replay = ? AND event_id = ?", seq, event_id);
}
