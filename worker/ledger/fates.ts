/**
 * What a plan needs to know about many event ids, in one query and one string per shard: returning whole entries is five times
 * slower.
 */
import type { Sql } from "../storage/sql.ts";
import { STATES, WROTE } from "./store.ts";
import type { LedgerEntry } from "./types.ts";

/** The part of an entry that decides whether a record may be sent again. */
export type Fate = Pick<LedgerEntry, "id" | "state" | "wrote" | "replays" | "firstAttemptAtMs">;

type Packed = readonly [id: string, state: number, wrote: number, replays: number, firstMs: number];

/** Returns the fates of the known ids as JSON. A lease that nobody settled may have reached WorkOS. */
export function readFates(sql: Sql, ids: readonly string[]): string {
  const query = `
    SELECT json_group_array(json_array(id, state, CASE WHEN lease IS NULL OR wrote = ? THEN wrote ELSE ? END, replays, first_ms)) AS found
    FROM ledger WHERE id IN (SELECT value FROM json_each(?))`;
  const [row] = sql.all(query, WROTE.indexOf("yes"), WROTE.indexOf("maybe"), JSON.stringify(ids));
  return (row?.["found"] as string | undefined) ?? "[]";
}

/** Adds the ids that the shard may have forgotten: only an operator may risk a second event for them. */
export function addForgotten(json: string, ids: readonly string[], isForgotten: (id: string) => boolean): string {
  const packed = JSON.parse(json) as readonly Packed[];
  const known = new Set(packed.map(([id]) => id));
  const forgotten = ids.filter((id) => !known.has(id) && isForgotten(id));
  const maybe = WROTE.indexOf("maybe");
  return JSON.stringify([...packed, ...forgotten.map((id): Packed => [id, STATES.indexOf("pending"), maybe, 0, 0])]);
}

/** Parses the JSON that `readFates` returns. */
export function parseFates(json: string): Fate[] {
  return (JSON.parse(json) as readonly Packed[]).map(([id, state, wrote, replays, firstAttemptAtMs]) => ({
    id,
    state: STATES[state] ?? "pending",
    wrote: WROTE[wrote] ?? "maybe",
    replays,
    firstAttemptAtMs,
  }));
}
