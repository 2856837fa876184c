/** Builds the body of `POST /api/replays` from the command line. Pure: the caller reads the file of `--map`. */
import * as z from "zod";
import { type FilterOptions, toFilter, toReplayFilter } from "../dead-letters/filter.ts";
import { WrongUse } from "../run/failure.ts";

interface ReplayOptions extends FilterOptions {
  readonly eventIds?: readonly string[] | undefined;
  readonly all?: boolean | undefined;
  readonly acceptDuplicates?: boolean | undefined;
  readonly name?: string | undefined;
  readonly rate?: number | undefined;
  readonly stopOnErrorRate?: number | undefined;
  readonly set?: readonly string[] | undefined;
  readonly drop?: readonly string[] | undefined;
}

export type ReplayBody = Readonly<Record<string, unknown>>;

const RATE_MIN = 0.1;
const RATE_MAX = 500;
const IDS_MAX = 10_000;

const Renames = z.record(z.string().min(1), z.string().min(1));
const MapFile = z.strictObject({
  action: Renames.optional(),
  organization: Renames.optional(),
  "actor.type": Renames.optional(),
  "targets.type": Renames.optional(),
});

/** Returns the body without `dry_run`; throws `WrongUse` for each contradictory combination. `map` is the parsed file of `--map`. */
export function replayBody(options: ReplayOptions, map: unknown, nowMs: number): ReplayBody {
  const { acceptDuplicates, name, rate, stopOnErrorRate } = options;
  inRange("--rate", rate, RATE_MIN, RATE_MAX);
  inRange("--stop-on-error-rate", stopOnErrorRate, 0, 1);
  if (name !== undefined && (name.trim() === "" || name.length > 100)) {
    throw new WrongUse('"--name" must have 1 to 100 characters');
  }
  return {
    ...selection(options, nowMs),
    ...(acceptDuplicates ? { accept_duplicates: true } : {}),
    ...(name === undefined ? {} : { name }),
    ...(rate === undefined ? {} : { rate }),
    ...(stopOnErrorRate === undefined ? {} : { stop_on_error_rate: stopOnErrorRate }),
    ...(options.set?.length ? { set: settings(options.set) } : {}),
    ...(options.drop?.length ? { drop: drops(options.drop) } : {}),
    ...(map === undefined ? {} : { map: renames(map) }),
  };
}

/** Exactly one of ids, filters and `--all`. */
function selection(options: ReplayOptions, nowMs: number): ReplayBody {
  const ids = [...new Set(options.eventIds)];
  const filter = toReplayFilter(toFilter(options, nowMs));
  const given = [ids.length > 0, Object.keys(filter).length > 0, options.all === true].filter(Boolean).length;
  if (given === 0) throw new WrongUse('name event ids or a filter, or add "--all" to replay every dead letter');
  if (given > 1) throw new WrongUse('event ids, filters and "--all" exclude one another');
  if (ids.length > IDS_MAX) throw new WrongUse(`at most ${IDS_MAX} event ids fit one replay; use a filter`);
  if (options.all) return { all: true };
  return ids.length > 0 ? { event_ids: ids } : { filter };
}

function settings(pairs: readonly string[]): ReplayBody {
  const set: Record<string, string> = {};
  for (const pair of pairs) {
    const [, field = "", value = ""] = /^([^=]+)=(.*)$/s.exec(pair) ?? [];
    if ((field !== "action" && field !== "organization") || value === "") {
      throw new WrongUse('"--set" must be action=<value> or organization=<value>');
    }
    if (field in set) throw new WrongUse(`"--set ${field}=" is given twice`);
    set[field] = value;
  }
  return set;
}

function drops(fields: readonly string[]): readonly string[] {
  const wrong = fields.find((field) => !/^(actor\.|targets\.)?metadata\.[a-zA-Z0-9_-]{1,40}$/.test(field));
  if (wrong === undefined) return fields;
  throw new WrongUse('"--drop" must be metadata.<key>, actor.metadata.<key> or targets.metadata.<key>');
}

function renames(map: unknown): unknown {
  const parsed = MapFile.safeParse(map);
  if (parsed.success && Object.keys(parsed.data).length > 0) return parsed.data;
  throw new WrongUse(
    'the file of "--map" must be an object of "action", "organization", "actor.type", "targets.type", each {"old": "new"}',
  );
}

function inRange(option: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (value >= min && value <= max)) return;
  throw new WrongUse(`"${option}" must be a number from ${min} to ${max}`);
}
