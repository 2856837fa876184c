/** Parses times from the command line. */
import { WrongUse } from "./failure.ts";

const UNIT_MS: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
};
const ISO = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2}))?$/;

/** Accepts ISO 8601 with a zone, a date (midnight UTC), or an age such as `2h` or `3d`; returns ISO 8601 in UTC. Throws `WrongUse`. */
function parseTime(option: string, text: string, nowMs: number): string {
  const age = /^(\d{1,6})([smhdw])$/.exec(text);
  const ms = age
    ? nowMs - Number(age[1]) * (UNIT_MS[age[2] ?? ""] ?? 0)
    : ISO.test(text)
      ? Date.parse(text)
      : Number.NaN;
  const date = new Date(ms);
  if (!Number.isNaN(ms) && (age || date.toISOString().startsWith(expectedDay(text, date)))) return date.toISOString();
  throw new WrongUse(`"${option}" must be an ISO 8601 time with a zone, or an age such as 2h or 3d`);
}

/** Returns the times of two options, parsed by `parseTime`. Throws `WrongUse` unless the first is earlier. */
export function parseSpan(
  options: { readonly since?: string | undefined; readonly until?: string | undefined },
  nowMs: number,
): { readonly since?: string; readonly until?: string } {
  const since = options.since === undefined ? undefined : parseTime("--since", options.since, nowMs);
  const until = options.until === undefined ? undefined : parseTime("--until", options.until, nowMs);
  if (since !== undefined && until !== undefined && since >= until) {
    throw new WrongUse('"--since" must be before "--until"');
  }
  return { ...(since === undefined ? {} : { since }), ...(until === undefined ? {} : { until }) };
}

/** The parser would move a date that does not exist, such as 30 February; only a date without a zone can be compared. */
function expectedDay(text: string, date: Date): string {
  return text.length === 10 || text.endsWith("Z") ? text.slice(0, 10) : date.toISOString().slice(0, 10);
}
