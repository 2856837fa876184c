/** Stores dead letters, and their refused attempts in the ledger, with the worker's own code. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { shardOf } from "../../shared/event-id.ts";
import { LEDGER_SHARDS } from "../../shared/limits.ts";
import type { AuditRecord } from "../../shared/record.ts";
import { parkEntries } from "../../worker/dead-letters/parked-entries.ts";
import { refusedEntry } from "../../worker/delivery/dead-letters.ts";
import { LedgerShard } from "../../worker/ledger/shard.ts";
import type { LedgerAttempt } from "../../worker/ledger/types.ts";
import { STEPS } from "../../worker/replays/schema.ts";
import { migrate } from "../../worker/storage/migration.ts";
import type { Sql } from "../../worker/storage/sql.ts";
import { claimOf } from "./ledger-rows.ts";
import { openDatabase } from "./object-file.ts";
import { MESSAGE_RECORDS, recordsAt } from "./samples.ts";
import type { ObjectFiles } from "./worker.ts";

/** Over which time they became dead letters. */
const AGE_MS = 10 * 86_400_000;
/** So few have an action of their own: a filter that finds a needle. */
export const RARE_ACTION = "rare.action";
const RARE_EVERY = 50_000;
const FIRST_RARE = 7;
const REASONS = [
  "http_400 invalid_audit_log /targets contains",
  "http_400 invalid_audit_log /actor",
  "http_422",
] as const;

/** Fills the files with `count` dead letters, spread over the ten days until `nowMs`. */
export async function fillLetters(
  files: ObjectFiles,
  count: number,
  samples: readonly AuditRecord[],
  nowMs: number,
): Promise<void> {
  if (count === 0) return;
  const letters = openDatabase(files.letters);
  const shards = files.shards.map(openDatabase);
  try {
    migrate(letters.sql, STEPS);
    const ledgerShards = shards.map(({ sql }) => new LedgerShard(sql));
    for (let first = 0; first < count; first += MESSAGE_RECORDS) {
      const atMs = Math.floor(nowMs - AGE_MS * (1 - first / count));
      const shard = (first / MESSAGE_RECORDS) % LEDGER_SHARDS;
      const span = { atMs, shard, first, count: Math.min(MESSAGE_RECORDS, count - first) };
      refuse(letters.sql, ledgerShards, recordsAt(samples, span).map(withRareAction), atMs);
      if (first % 10_000 === 0) await nextTurn();
    }
    for (const ledgerShard of ledgerShards) ledgerShard.saveCounters();
  } finally {
    for (const { close } of [letters, ...shards]) close();
  }
}

/** How many of so many dead letters have the rare action. */
export function rareCount(letters: number): number {
  return Math.ceil(Math.max(letters - FIRST_RARE + 1, 0) / RARE_EVERY);
}

function withRareAction(record: AuditRecord): AuditRecord {
  return record.sequence % RARE_EVERY === FIRST_RARE ? { ...record, action: RARE_ACTION } : record;
}

/** What a delivery does that WorkOS refuses: claims all, parks all, settles all. */
function refuse(
  letters: Sql,
  ledgerShards: readonly LedgerShard[],
  records: readonly AuditRecord[],
  atMs: number,
): void {
  const [{ id } = { id: "" }] = records;
  const ledgerShard = ledgerShards[shardOf(id, LEDGER_SHARDS)];
  if (!ledgerShard) throw new RangeError("the shard has no file");
  const grants = ledgerShard.claim("lease", records.map(claimOf), atMs);
  const ended = records.map((record) => [record, attemptOf(record, atMs)] as const);
  const entries = ended.flatMap(([record, attempt], index) => {
    const grant = grants[index];
    return grant?.kind === "send" ? [refusedEntry(record, grant, attempt, { messageId: `msg_${id}` })] : [];
  });
  letters.transaction(() => parkEntries(letters, entries, atMs));
  ledgerShard.settle(
    "lease",
    ended.map(([record, attempt]) => ({ id: record.id, attempt })),
    atMs,
  );
}

function attemptOf({ sequence }: AuditRecord, atMs: number): LedgerAttempt {
  const reason = REASONS[sequence % REASONS.length] ?? REASONS[0];
  return { atMs, durationMs: 80, outcome: "reject", wrote: "no", status: Number(reason.slice(5, 8)), reason };
}
