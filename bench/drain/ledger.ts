/** The worker's ledger over SQLite in memory. */
import { DatabaseSync } from "node:sqlite";
import { sqlPort } from "../../dev/sql-port.ts";
import { LedgerShard } from "../../worker/ledger/shard.ts";
import type { LedgerPort } from "../../worker/ledger/types.ts";

export interface MemoryLedger extends LedgerPort {
  close(): void;
}

export function memoryLedger(): MemoryLedger {
  const database = new DatabaseSync(":memory:");
  const shard = new LedgerShard(sqlPort(database));
  return {
    claim: (lease, claims, nowMs) => Promise.resolve(shard.claim(lease, claims, nowMs)),
    settle: (lease, settlements, nowMs) => Promise.resolve(shard.settle(lease, settlements, nowMs)),
    close: () => database.close(),
  };
}
