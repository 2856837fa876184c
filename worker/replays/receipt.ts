/** The receipt: the request of a replay and the result of each record, with hashes to check both. */
import { isoTime, withoutNulls } from "../json-fields.ts";
import { controlsOf, requestOf, type ReplayRow } from "./store.ts";
import type { Sql } from "../storage/sql.ts";

interface ItemLine {
  readonly event_id: string;
  readonly n: number;
  readonly outcome: string;
  readonly reason: string | null;
}

/** Items read at once for hashing. */
const CHUNK = 5_000;

/** Returns the receipt's JSON; its `sha256` covers the JSON without that field. */
export async function makeReceipt(sql: Sql, replay: ReplayRow, finishedAtMs: number): Promise<string> {
  const request = requestOf(replay);
  const reasons = sql.all<{ reason: string; count: number }>(
    "SELECT reason, count(*) AS count FROM items WHERE replay = ? AND outcome = 'skipped' GROUP BY reason ORDER BY reason",
    replay.seq,
  );
  const receipt = withoutNulls({
    replay_id: replay.id,
    name: request.name ?? null,
    by: replay.requested_by,
    planned_by: replay.planned_by,
    controls: controlsOf(replay),
    started_at: isoTime(replay.created_at),
    finished_at: isoTime(finishedAtMs),
    selection: shownSelection(request.asked),
    accept_duplicates: request.acceptDuplicates,
    mend: request.mend ?? null,
    counts: {
      total: replay.total,
      delivered: replay.delivered,
      failed_again: replay.failed_again,
      skipped: replay.skipped,
    },
    skip_reasons: Object.fromEntries(reasons.map(({ reason, count }) => [reason, count])),
    outcomes_sha256: await hashItems(sql, replay.seq),
  });
  return JSON.stringify({ ...receipt, sha256: hex(await sha256(new TextEncoder().encode(JSON.stringify(receipt)))) });
}

/** The items hold the list of event ids; its length is enough here. */
export function shownSelection(asked: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const { event_ids, ...rest } = asked;
  return Array.isArray(event_ids) ? { event_ids: event_ids.length } : rest;
}

async function hashItems(sql: Sql, seq: number): Promise<string> {
  const digest = new crypto.DigestStream("SHA-256");
  const writer = digest.getWriter();
  for (let after = ""; ;) {
    const query =
      "SELECT event_id, n, outcome, reason FROM items WHERE replay = ? AND event_id > ? ORDER BY event_id LIMIT ?";
    const items = sql.all<ItemLine>(query, seq, after, CHUNK);
    const last = items.at(-1);
    if (!last) break;
    const lines = items.map(({ event_id, n, outcome, reason }) => `${event_id} ${n} ${outcome} ${reason ?? "-"}\n`);
    await writer.write(new TextEncoder().encode(lines.join("")));
    after = last.event_id;
  }
  await writer.close();
  return hex(await digest.digest);
}

function sha256(bytes: Uint8Array): Promise<ArrayBuffer> {
  return crypto.subtle.digest("SHA-256", bytes);
}

function hex(digest: ArrayBuffer): string {
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
