/** Forgets dead letters after their retention; counted from the last attempt, as the ledger counts, so that the ledger knows longer. */
import { DEAD_LETTER_RETENTION_MS } from "../../shared/limits.ts";
import type { Sql } from "../storage/sql.ts";
import { removeOld } from "./store.ts";

/** Rows in one step. Our choice. */
const SLICE = 5_000;

/** Removes one slice; returns true if more may remain. What is in a replay stays until that has ended. */
export function pruneDeadLetters(sql: Sql, nowMs: number): boolean {
  return removeOld(sql, nowMs - DEAD_LETTER_RETENTION_MS, SLICE) === SLICE;
}
