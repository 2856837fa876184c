/** Forgets dead letters after their retention, counted from the last attempt as in the ledger, so that the ledger remembers longer. */
import { DEAD_LETTER_RETENTION_MS } from "../../shared/limits.ts";
import type { Sql } from "../storage/sql.ts";
import { removeOld } from "./store.ts";

/** Rows per step. Our choice. */
const SLICE = 5_000;

/** Removes one slice; returns true if more may remain. Keeps dead letters of a running replay. */
export function pruneDeadLetters(sql: Sql, nowMs: number): boolean {
  return removeOld(sql, nowMs - DEAD_LETTER_RETENTION_MS, SLICE) === SLICE;
}
