/** Fills shards of the ledger with the worker's own code, message by message, without workerd and without WorkOS. */
import { copyFile } from "node:fs/promises";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { AuditRecord } from "../../shared/record.ts";
import { enrich } from "../../worker/enrichment.ts";
import { LedgerShard } from "../../worker/ledger/shard.ts";
import type { Claim, Settlement } from "../../worker/ledger/types.ts";
import { openDatabase } from "./object-file.ts";
import { MESSAGE_RECORDS, recordsAt } from "./samples.ts";

/** Over which time the rows were delivered; the ledger keeps them for 120 days. */
const AGE_MS = 100 * 86_400_000;
/** Messages between two moments at which a signal is heard. */
const STEP_MESSAGES = 500;
const DELIVERED = { durationMs: 80, outcome: "delivered", wrote: "yes", status: 201 } as const;

/** Makes one shard with so many delivered records, spread over the time until `nowMs`, and copies it to the other files. */
export async function fillLedger(
  files: readonly string[],
  rows: number,
  samples: readonly AuditRecord[],
  nowMs: number,
): Promise<void> {
  const [first, ...others] = files;
  if (first === undefined || rows === 0) return;
  await fillShard(first, Math.round(rows / files.length), samples, nowMs);
  for (const other of others) await copyFile(first, other);
}

async function fillShard(file: string, rows: number, samples: readonly AuditRecord[], nowMs: number): Promise<void> {
  const { sql, close } = openDatabase(file);
  try {
    const ledgerShard = new LedgerShard(sql);
    const messages = Math.ceil(rows / MESSAGE_RECORDS);
    for (let message = 0; message < messages; message++) {
      const first = message * MESSAGE_RECORDS;
      const atMs = Math.floor(nowMs - AGE_MS * (1 - message / messages));
      const count = Math.min(MESSAGE_RECORDS, rows - first);
      deliver(ledgerShard, recordsAt(samples, { atMs, shard: 0, first, count }), atMs);
      if (message % STEP_MESSAGES === 0) await nextTurn();
    }
    ledgerShard.saveCounters();
  } finally {
    close();
  }
}

/** What a delivery does to the ledger: claims all, then settles all. */
function deliver(ledgerShard: LedgerShard, records: readonly AuditRecord[], atMs: number): void {
  ledgerShard.claim("lease", records.map(claimOf), atMs);
  const settlements = records.map(({ id }): Settlement => ({ id, attempt: { atMs, ...DELIVERED } }));
  ledgerShard.settle("lease", settlements, atMs);
}

/** As `deliverRecords` claims a record. */
export function claimOf(record: AuditRecord): Claim {
  const { id, stage, occurredAtMs, requestId, gateway, sequence } = record;
  return {
    id,
    stage,
    body: JSON.stringify(enrich(record)),
    occurredAtMs,
    ...(requestId === undefined ? {} : { requestId }),
    isolate: gateway.isolateId,
    sequence,
  };
}
