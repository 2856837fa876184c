/** The client of the dead letters' Durable Object. */
import type { Env } from "../env.ts";
import { markParked } from "../ledger/client.ts";
import type { DeadLetterGroup, DeadLetterState } from "../../shared/dead-letter.ts";
import type { RequestSearch, SequenceRun } from "../ledger/types.ts";
import type { PeriodCounts } from "./counts.ts";
import type { Discarded } from "./discard.ts";
import type { DeadLetterEntry } from "./entry.ts";
import type { Filter, Group, Page, Position } from "./query.ts";
import type { DeadLetterRow, DeadLetterSummary } from "./row.ts";
import type { SweepPosition } from "./sweep-position.ts";

/** Most characters of entries per call: an RPC carries at most 32 MiB. https://developers.cloudflare.com/workers/runtime-apis/rpc/ */
const PARK_MAX_CHARS = 4_000_000;

/** A page of dead letters, newest first. */
export interface PageQuery {
  readonly filter: Filter;
  /** Absent: `open` and `replaying`, the two states in which an operator can still act. */
  readonly states: readonly DeadLetterState[] | undefined;
  readonly limit: number;
  readonly after: Position | undefined;
}

type Answer<T> = T | Promise<T>;

/** The RPC interface of the Durable Object that keeps the dead letters. */
export interface DeadLetterCalls {
  /**
   * Stores dead letters; safe to repeat. `seen` names entries of QStash's own dead-letter queue that need no second read. Returns
   * how many failures were new.
   */
  park(entries: readonly DeadLetterEntry[], seen?: readonly string[]): Answer<number>;
  /** Returns the sequence numbers of records in a period. The ledger may not know them: some fail before they reach it. */
  sequences(sinceMs: number, untilMs: number): Answer<SequenceRun[]>;
  /** Returns how many records of a period were imported. */
  imported(sinceMs: number, untilMs: number): Answer<number>;
  /** Returns the entries of QStash's dead-letter queue that have not been read yet. */
  unsighted(dlqIds: readonly string[]): Answer<string[]>;
  /** Closes open dead letters that the ledger says were delivered, one step at a time. Returns how many. */
  reconcile(): Answer<number>;
  /** Counts what happened to dead letters in a period, and how many are open now. */
  counts(fromMs: number, untilMs: number): Answer<PeriodCounts>;
  storageBytes(): Answer<number>;
  sweepPosition(): Answer<SweepPosition>;
  keepSweepPosition(position: SweepPosition): Answer<void>;
  page(query: PageQuery): Answer<Page<DeadLetterSummary>>;
  /** A page of full rows, with records and histories. */
  wholePage(query: PageQuery): Answer<Page<DeadLetterRow>>;
  groups(
    filter: Filter,
    states: readonly DeadLetterState[] | undefined,
    by: DeadLetterGroup,
  ): Answer<{ groups: Group[]; total: number }>;
  idsOfRequest(search: RequestSearch): Answer<string[]>;
  entry(eventId: string): Answer<DeadLetterRow | undefined>;
  discard(eventId: string, reason: string, by: string): Answer<Discarded>;
  /** Returns open dead letters, selected by a filter or by event ids. */
  openIds(
    selection: { readonly eventIds: readonly string[] } | { readonly filter: Filter },
    limit: number,
  ): Answer<string[]>;
  /** Discards the open ones among the event ids, and returns how many. */
  discardMany(eventIds: readonly string[], reason: string, by: string): Answer<number>;
  /** Stores dead letters from another deployment, except those with a known event id. Returns how many were new. */
  importRows(rows: readonly DeadLetterRow[]): Answer<number>;
}

/** The single object that keeps the dead letters. Its name predates this code and decides where its data is. */
export function deadLetters(env: Pick<Env, "ARCHIVE">) {
  const namespace = env.ARCHIVE as DurableObjectNamespace<DeadLetterCalls & Rpc.DurableObjectBranded>;
  return namespace.getByName("archive");
}

/**
 * Stores messages that QStash gave up on, then tells the ledger that they no longer wait for an attempt. `seen` names entries of
 * QStash's dead-letter queue that need no second read. Returns how many failures were new.
 */
export async function parkDeadLetters(
  env: Pick<Env, "ARCHIVE" | "LEDGER" | "clock">,
  entries: readonly DeadLetterEntry[],
  seen: readonly string[],
): Promise<number> {
  let fresh = 0;
  for (const part of partsOf(entries)) fresh += await deadLetters(env).park(part);
  // Last, because an entry marked as seen is never read again.
  if (seen.length > 0) await deadLetters(env).park([], seen);
  const readable = entries.filter((entry) => entry.record !== undefined).map((entry) => entry.eventId);
  await markParked(env, readable);
  return fresh;
}

function partsOf(entries: readonly DeadLetterEntry[]): DeadLetterEntry[][] {
  const parts: DeadLetterEntry[][] = [];
  let left = 0;
  for (const entry of entries) {
    const size = JSON.stringify(entry).length;
    if (size > left) {
      parts.push([]);
      left = PARK_MAX_CHARS;
    }
    parts.at(-1)?.push(entry);
    left -= size;
  }
  return parts;
}
