/** The options that select dead letters, the same for every command. */
import type { Argv } from "yargs";
import { DEAD_LETTER_CLASSES } from "../../shared/dead-letter.ts";
import { WrongUse } from "../run/failure.ts";
import { parseSpan } from "../run/time.ts";

export interface FilterOptions {
  readonly class?: readonly string[] | undefined;
  readonly action?: string | undefined;
  readonly organization?: string | undefined;
  readonly route?: string | undefined;
  readonly reason?: string | undefined;
  readonly status?: string | undefined;
  readonly since?: string | undefined;
  readonly until?: string | undefined;
}

/** Adds the filters to a command. */
export function filterOptions<T>(yargs: Argv<T>) {
  return yargs
    .option("class", { array: true, choices: DEAD_LETTER_CLASSES, describe: "Why it is a dead letter", nargs: 1 })
    .option("action", { type: "string", describe: "Exact action" })
    .option("organization", { type: "string", describe: "Exact WorkOS organization id" })
    .option("route", { type: "string", describe: "Exact route pattern, such as /users/{id}" })
    .option("reason", { type: "string", describe: "Exact reason, as `list --group-by reason` shows it" })
    .option("status", { type: "string", describe: "HTTP status of the last attempt, or none" })
    .option("since", { type: "string", describe: "Parked at or after: ISO 8601, or an age such as 2h or 3d" })
    .option("until", { type: "string", describe: "Parked before: ISO 8601, or an age" });
}

interface Filter {
  readonly class?: string;
  readonly action?: string;
  readonly organization?: string;
  readonly route?: string;
  readonly reason?: string;
  readonly status?: string;
  readonly since?: string;
  readonly until?: string;
}

/** Returns the filter as query parameters. Throws `WrongUse` if an option is not a valid status or time, or is repeated. */
export function toFilter(options: FilterOptions, nowMs: number): Filter {
  const { status } = options;
  if (status !== undefined && !/^([1-5]\d\d|none)$/.test(status)) {
    throw new WrongUse('"--status" must be an HTTP status such as 503, or none');
  }
  const filter = {
    class: options.class?.length ? options.class.join(",") : undefined,
    action: options.action,
    organization: options.organization,
    route: options.route,
    reason: options.reason,
    status,
    ...parseSpan(options, nowMs),
  };
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined)) as Filter;
}

/** Returns the filter for the body of a replay: lists as arrays, the status as a number. */
export function toReplayFilter({ class: classes, status, ...rest }: Filter): Record<string, unknown> {
  return {
    ...rest,
    ...(classes === undefined ? {} : { class: classes.split(",") }),
    ...(status === undefined ? {} : { status: status === "none" ? status : Number(status) }),
  };
}
