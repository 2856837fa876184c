import { ApiError } from "../errors.ts";

/** A condition in SQL over `message` (and `event`), with its values. */
interface Filter {
  sql: string;
  values: (string | number)[];
}

export type FilterFields = Record<string, { column: string; isNumber?: true } | "label" | "never">;

/** The filters of every list and bulk action. There are no schedules, so the schedule filter matches nothing. */
export const COMMON_FIELDS: FilterFields = {
  url: { column: "message.url" },
  topicName: { column: "message.url_group" },
  scheduleId: "never",
  queueName: { column: "message.queue" },
  callerIp: { column: "message.caller_ip" },
  callerIP: { column: "message.caller_ip" },
  flowControlKey: { column: "message.flow_key" },
  label: "label",
};
export const HOST_AND_PATH: FilterFields = {
  host: { column: "message.host" },
  path: { column: "message.path" },
};

/**
 * Reads a query's filters: values of one field (repeated or separated by commas) are alternatives, and all fields must match.
 * `fromDate` and `toDate` (milliseconds, inclusive) apply to `dateColumn`.
 */
export function readFilters(query: URLSearchParams, fields: FilterFields, dateColumn: string): Filter {
  const parts: Filter[] = [];
  for (const [name, field] of Object.entries(fields)) {
    const given = query.getAll(name);
    if (given.length === 0) continue;
    // Whole values count too: a URL may contain a comma.
    const values = [...new Set([...given, ...given.flatMap((value) => value.split(",").map((part) => part.trim()))])];
    parts.push(condition(field, values));
  }
  for (const [name, operator] of [
    ["fromDate", ">="],
    ["toDate", "<="],
  ] as const) {
    const date = readNumber(query, name);
    if (date !== undefined) parts.push({ sql: `${dateColumn} ${operator} ?`, values: [date] });
  }
  return {
    sql: parts.map((part) => ` AND ${part.sql}`).join(""),
    values: parts.flatMap((part) => part.values),
  };
}

function condition(field: FilterFields[string], values: string[]): Filter {
  if (field === "never") return { sql: "0", values: [] };
  // One statement for any number of values, passed as a JSON array.
  if (field === "label") {
    return {
      sql: "EXISTS (SELECT 1 FROM label WHERE label.seq = message.seq AND label.label IN (SELECT value FROM json_each(?)))",
      values: [JSON.stringify(values)],
    };
  }
  const wanted = field.isNumber ? values.map(Number).filter(Number.isInteger) : values;
  return { sql: `${field.column} IN (SELECT value FROM json_each(?))`, values: [JSON.stringify(wanted)] };
}

/** A whole number from the query, or undefined; throws an {@link ApiError} 400 that names it. */
export function readNumber(query: URLSearchParams, name: string): number | undefined {
  const value = query.get(name);
  if (value === null || value === "") return undefined;
  if (!/^\d{1,15}$/.test(value)) throw new ApiError(400, `invalid ${name}: must be a whole number`);
  return Number(value);
}

/** Entries per page: `count`, at most `most`, which is also the default. */
export function readCount(query: URLSearchParams, most: number, otherwise = most): number {
  return Math.min(most, Math.max(1, readNumber(query, "count") ?? otherwise));
}

/** Returns the ids in the query, repeated or separated by commas, or undefined if there are none. */
export function readIds(query: URLSearchParams, ...names: string[]): string[] | undefined {
  const ids = names.flatMap((name) => query.getAll(name)).flatMap((value) => value.split(","));
  const given = ids.map((id) => id.trim()).filter((id) => id !== "");
  return given.length === 0 ? undefined : [...new Set(given)];
}
