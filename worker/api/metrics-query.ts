/** Parses the query of `GET /api/metrics`. Throws `invalid_request` naming the parameter. */
import * as z from "zod/mini";
import { METRIC_POINTS_MAX } from "../../shared/api.ts";
import { HOUR_S, HOURS_KEPT_S, MINUTE_S, MINUTES_KEPT_S } from "../monitor/history.ts";
import { invalid, onceEach, printable, Time } from "./parameters.ts";

/** Steps to choose from when the query names none: the smallest that stays within the point limit. Our choice. */
const STEPS_S = [MINUTE_S, 5 * MINUTE_S, 15 * MINUTE_S, HOUR_S, 6 * HOUR_S, 24 * HOUR_S];
const POINTS_WANTED = 300;

interface Range {
  readonly fromS: number;
  readonly untilS: number;
  readonly stepS: number;
}

const seconds = z.pipe(z.string().check(z.regex(/^\d{1,11}$/)), z.transform(Number));
const instant = z.union([
  seconds,
  z.pipe(
    Time,
    z.transform((ms: number) => Math.floor(ms / 1_000)),
  ),
]);
const Query = z.strictObject({
  from: z.optional(instant),
  until: z.optional(instant),
  step: z.optional(seconds),
});

/** Parses the query. Throws `invalid_request` naming the parameter, rather than answer for another time than the one asked for. */
export function parseMetricsQuery(search: URLSearchParams, nowMs: number): Range {
  const parsed = Query.safeParse(onceEach(search));
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    if (issue?.code === "unrecognized_keys")
      throw invalid(`"${printable(issue.keys[0] ?? "")}" is not a parameter of this route`);
    const name = String(issue?.path[0] ?? "query");
    if (name === "step") throw invalid('"step" must be a whole number of seconds');
    throw invalid(`"${name}" must be Unix seconds, or an ISO 8601 time with a zone`);
  }
  const nowS = Math.floor(nowMs / 1_000);
  // By default, include the minute that has begun.
  const { until: untilS = nowS + 1, from: fromS = untilS - HOUR_S, step } = parsed.data;
  if (fromS >= untilS) throw invalid('"from" must be before "until"');
  if (fromS < nowS - HOURS_KEPT_S - HOUR_S) throw invalid('"from" must be at most 90 days ago');
  // A slot begins up to a minute before the times that it holds.
  const isOld = fromS < nowS - MINUTES_KEPT_S - MINUTE_S;
  const stepS = step ?? defaultStep(untilS - fromS, isOld);
  checkStep(stepS, untilS - fromS, isOld);
  return { fromS, untilS, stepS };
}

function defaultStep(spanS: number, isOld: boolean): number {
  const steps = STEPS_S.filter((stepS) => !isOld || stepS >= HOUR_S);
  return steps.find((stepS) => spanS / stepS <= POINTS_WANTED) ?? 24 * HOUR_S;
}

function checkStep(stepS: number, spanS: number, isOld: boolean): void {
  const unitS = stepS < HOUR_S ? MINUTE_S : HOUR_S;
  if (stepS <= 0 || stepS > 7 * 24 * HOUR_S || stepS % unitS !== 0) {
    throw invalid('"step" must be a multiple of 60 below an hour, or of 3600 up to 604800');
  }
  if (isOld && stepS < HOUR_S) throw invalid('"step" must be at least 3600 if "from" is more than 48 hours ago');
  if (spanS / stepS > METRIC_POINTS_MAX) {
    throw invalid(`"step" must be larger: at most ${METRIC_POINTS_MAX} points fit between "from" and "until"`);
  }
}
