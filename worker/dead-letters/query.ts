/** Queries on dead letters: filters as SQL conditions, pages, groups. Pure. Every value is bound, never concatenated. */
import type { DeadLetterClass, DeadLetterState } from "../../shared/dead-letter.ts";

/** The last entry of a page: where the next one begins. */
export type Position = readonly [at: number, id: string];

export interface Filter {
  readonly eventIds?: readonly string[] | undefined;
  readonly class?: readonly DeadLetterClass[] | undefined;
  readonly action?: readonly string[] | undefined;
  readonly organization?: readonly string[] | undefined;
  readonly route?: readonly string[] | undefined;
  readonly reason?: readonly string[] | undefined;
  /** `none` matches entries without a status. */
  readonly status?: readonly (number | "none")[] | undefined;
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
}

/** An RPC carries at most 32 MiB, and the largest entry has 1 MB. https://developers.cloudflare.com/workers/runtime-apis/rpc/ */
const PAGE_MAX_CHARS = 8_000_000;

export interface Page<T> {
  readonly rows: T[];
  /** True if more entries follow. */
  readonly more: boolean;
}

export interface Group {
  readonly value: string | number | null;
  readonly count: number;
  readonly oldest: number;
  readonly newest: number;
}

type Bound = string | number | null;
export interface Where {
  readonly text: string;
  readonly values: readonly Bound[];
}

const LIVE: readonly DeadLetterState[] = ["open", "replaying"];

/** Returns the condition for a filter and a set of states; the two live states together use the index. */
export function whereOf(filter: Filter, states: readonly DeadLetterState[] = LIVE): Where {
  const parts: Where[] = [];
  const add = (text: string, ...values: Bound[]) => parts.push({ text, values });
  const live = [...new Set(states.map((state) => LIVE.includes(state)))];
  if (live.length === 1) add("live = ?", live[0] ? 1 : 0);
  if (states.length !== 2 || live.length === 2) add(...oneOf("state", states));
  for (const name of ["class", "action", "organization", "route", "reason"] as const) {
    const wanted = filter[name];
    if (wanted) add(...oneOf(name, wanted));
  }
  if (filter.eventIds) add(...oneOf("event_id", filter.eventIds));
  if (filter.status) {
    const numbers = filter.status.filter((status) => status !== "none");
    const [text, ...values] = oneOf("status", numbers);
    add(filter.status.includes("none") ? `(status IS NULL OR ${text})` : text, ...values);
  }
  if (filter.sinceMs !== undefined) add("parked_at >= ?", filter.sinceMs);
  if (filter.untilMs !== undefined) add("parked_at < ?", filter.untilMs);
  return { text: parts.map((part) => part.text).join(" AND "), values: parts.flatMap((part) => part.values) };
}

/** A list is bound as one JSON value: SQLite in a Durable Object binds at most 100. */
function oneOf(column: string, values: readonly (string | number)[]): [text: string, value: string] {
  return [`${column} IN (SELECT value FROM json_each(?))`, JSON.stringify(values)];
}

/** Cuts rows, read with a limit one higher, to one page; `charsOf` bounds the page by what an RPC carries. */
export function pageOf<T>(found: Iterable<T>, limit: number, charsOf: (row: T) => number = () => 0): Page<T> {
  const rows: T[] = [];
  let size = 0;
  for (const row of found) {
    if (rows.length === limit || size > PAGE_MAX_CHARS) return { rows, more: true };
    rows.push(row);
    size += charsOf(row);
  }
  return { rows, more: false };
}
