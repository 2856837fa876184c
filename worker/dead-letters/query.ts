/** Questions to the archive: filters as SQL, one page, counts by group. Every value is bound, never pasted. */
import type { DeadLetterClass, DeadLetterGroup, DeadLetterState } from "../../shared/dead-letter.ts";
import { SUMMARY_COLUMNS, type Row, type Summary } from "./row.ts";
import type { Sql } from "../storage/sql.ts";

/** The last entry of a page: where the next one begins. */
export type Position = readonly [at: number, id: string];

export interface Filter {
  readonly class?: readonly DeadLetterClass[] | undefined;
  readonly action?: readonly string[] | undefined;
  readonly organization?: readonly string[] | undefined;
  readonly route?: readonly string[] | undefined;
  readonly reason?: readonly string[] | undefined;
  /** `none` stands for entries without a status. */
  readonly status?: readonly (number | "none")[] | undefined;
  readonly sinceMs?: number | undefined;
  readonly untilMs?: number | undefined;
}

/** Largest number of groups in one answer. Our choice. */
const GROUPS_MAX = 500;

/** An RPC carries at most 32 MiB, and the largest entry has 1 MB. https://developers.cloudflare.com/workers/runtime-apis/rpc/ */
const PAGE_MAX_CHARS = 8_000_000;

export interface Page<T> {
  readonly rows: T[];
  /** There are further entries. */
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

/** The condition for a filter and a set of states; the two live states together use the index. */
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
  if (filter.status) {
    const numbers = filter.status.filter((status) => status !== "none");
    const [text, ...values] = oneOf("status", numbers);
    add(filter.status.includes("none") ? `(status IS NULL OR ${text})` : text, ...values);
  }
  if (filter.sinceMs !== undefined) add("parked_at >= ?", filter.sinceMs);
  if (filter.untilMs !== undefined) add("parked_at < ?", filter.untilMs);
  return { text: parts.map((part) => part.text).join(" AND "), values: parts.flatMap((part) => part.values) };
}

/** A list goes in as one JSON value: SQLite in a Durable Object binds at most 100. */
function oneOf(column: string, values: readonly (string | number)[]): [text: string, value: string] {
  return [`${column} IN (SELECT value FROM json_each(?))`, JSON.stringify(values)];
}

/** One page, newest first, after a position. */
export function page(sql: Sql, where: Where, limit: number, after: Position | undefined): Page<Summary> {
  return collect(select<Summary>(sql, SUMMARY_COLUMNS, where, limit, after), limit, () => 0);
}

/** As `page`, with the large columns; it ends early rather than outgrow what an RPC carries. */
export function wholePage(sql: Sql, where: Where, limit: number, after: Position | undefined): Page<Row> {
  return collect(select<Row>(sql, "*", where, limit, after), limit, sizeOf);
}

function sizeOf({ record, body, history }: Row): number {
  return (record ?? "").length + (body ?? "").length + history.length;
}

function select<T>(sql: Sql, columns: string, where: Where, limit: number, after: Position | undefined): Iterable<T> {
  const keyset = after ? " AND (parked_at, event_id) < (?, ?)" : "";
  const query = `SELECT ${columns} FROM dead_letters WHERE ${where.text}${keyset}
                 ORDER BY parked_at DESC, event_id DESC LIMIT ?`;
  // One more than asked for tells whether there is a next page.
  return sql.each<T>(query, ...where.values, ...(after ?? []), limit + 1);
}

function collect<T>(found: Iterable<T>, limit: number, sizeOf: (row: T) => number): Page<T> {
  const rows: T[] = [];
  let size = 0;
  for (const row of found) {
    if (rows.length === limit || size > PAGE_MAX_CHARS) return { rows, more: true };
    rows.push(row);
    size += sizeOf(row);
  }
  return { rows, more: false };
}

/** Event ids of a request id among the requests of a time; reads the record of each of them. */
export function idsOfRequest(sql: Sql, requestId: string, sinceMs: number, untilMs: number, limit: number): string[] {
  const query = `SELECT event_id FROM dead_letters
                 WHERE occurred_at >= ? AND occurred_at < ? AND record ->> 'requestId' = ? LIMIT ?`;
  return sql.all<{ event_id: string }>(query, sinceMs, untilMs, requestId, limit).map((row) => row.event_id);
}

/** Counts by one column, largest first, and the count of all. */
export function groups(sql: Sql, where: Where, by: DeadLetterGroup): { groups: Group[]; total: number } {
  const counted = sql.all<Group>(
    `SELECT ${by} AS value, count(*) AS count, min(parked_at) AS oldest, max(parked_at) AS newest
     FROM dead_letters WHERE ${where.text} GROUP BY ${by} ORDER BY count DESC, value`,
    ...where.values,
  );
  return { groups: counted.slice(0, GROUPS_MAX), total: counted.reduce((sum, group) => sum + group.count, 0) };
}
