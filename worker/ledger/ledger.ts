import { DurableObject } from "cloudflare:workers";
import type { Env } from "../env.ts";
import type { Claim, Grant, LedgerEntry, Settlement } from "./types.ts";

export class Ledger extends DurableObject<Env> {
  claim(lease: string, claims: readonly Claim[], nowMs: number): Promise<readonly Grant[]> {
    throw new Error(`not yet: ${lease} ${claims.length} ${nowMs}`);
  }
  settle(lease: string, settlements: readonly Settlement[], nowMs: number): Promise<void> {
    throw new Error(`not yet: ${lease} ${settlements.length} ${nowMs}`);
  }
  lookup(ids: readonly string[], nowMs: number): Promise<readonly LedgerEntry[]> {
    throw new Error(`not yet: ${ids.length} ${nowMs}`);
  }
  discard(id: string, reason: string, nowMs: number): Promise<"discarded" | "delivered" | "leased"> {
    throw new Error(`not yet: ${id} ${reason} ${nowMs}`);
  }
}
