/** Discards a dead letter on an operator's request; it stays as a tombstone with the reason. */
import type { DeadLetterState } from "../../shared/dead-letter.ts";
import type { DeadLetterRow } from "./row.ts";
import { stateAfter } from "./states.ts";
import { readRow, writeRow } from "./store.ts";
import type { Sql } from "../storage/sql.ts";

interface Tombstone {
  readonly reason: string;
  readonly by: string;
  readonly at: string;
}

export type Discarded =
  | { readonly kind: "discarded"; readonly row: DeadLetterRow; readonly fresh: boolean }
  | { readonly kind: "not_found" }
  | { readonly kind: "conflict"; readonly state: DeadLetterState };

/** A second discard keeps the first reason. A dead letter that is being replayed or was delivered cannot be discarded. */
export function discardEntry(sql: Sql, eventId: string, tombstone: Tombstone): Discarded {
  const row = readRow(sql, eventId);
  if (!row) return { kind: "not_found" };
  if (row.state === "discarded") return { kind: "discarded", row, fresh: false };
  const state = stateAfter(row.state, "discarded");
  if (!state) return { kind: "conflict", state: row.state };
  const discarded: DeadLetterRow = { ...row, state, discarded: JSON.stringify(tombstone) };
  writeRow(sql, discarded);
  return { kind: "discarded", row: discarded, fresh: true };
}
