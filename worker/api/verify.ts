/** `GET /api/verify`: did every record that the gateway counted arrive? */
import { AuditError } from "../../shared/errors.ts";
import { deadLetters } from "../dead-letters/client.ts";
import { jsonAnswer } from "../http/answers.ts";
import type { RouteContext, Route } from "../http/route.ts";
import { forgottenUntil, sequenceRuns } from "../ledger/client.ts";
import { countOf, isolatesOf } from "../ledger/sequence-gaps.ts";

const DEFAULT_SPAN_MS = 24 * 3_600_000;
/** Younger records may still be on their way: an intent or a watchdog's record waits up to four minutes. Our choice. */
const SETTLE_MS = 5 * 60_000;
/** Most isolates with gaps that one answer names. Our choice. */
const GAPS_MAX = 1_000;

export const verifyRoutes: readonly Route[] = [{ method: "GET", path: "/api/verify", access: "read", handle: verify }];

async function verify({ env, url }: RouteContext): Promise<Response> {
  const untilMs = timeOf(url, "until") ?? env.clock.now() - SETTLE_MS;
  const askedMs = timeOf(url, "since") ?? untilMs - DEFAULT_SPAN_MS;
  if (!(askedMs < untilMs)) {
    const detail = '"since" and "until" must be ISO 8601 times, "since" the earlier one';
    throw new AuditError("invalid_request", detail);
  }
  // If the ledger has forgotten ended records early, the remaining ones would show false gaps.
  const forgottenMs = await forgottenUntil(env);
  const sinceMs = Math.min(Math.max(askedMs, forgottenMs), untilMs);
  const runsOf = async (fromMs: number, toMs: number) =>
    (await Promise.all([sequenceRuns(env, fromMs, toMs), deadLetters(env).sequences(fromMs, toMs)])).flat();
  const [runs, imported] = await Promise.all([runsOf(sinceMs, untilMs), deadLetters(env).imported(sinceMs, untilMs)]);
  const edges = await Promise.all([runsOf(sinceMs - SETTLE_MS, sinceMs), runsOf(untilMs, untilMs + SETTLE_MS)]);
  const isolates = isolatesOf(runs, edges.flat());
  const gaps = isolates.filter(({ missing }) => missing.length > 0);
  return jsonAnswer({
    since: new Date(sinceMs).toISOString(),
    until: new Date(untilMs).toISOString(),
    ...(sinceMs > askedMs ? { forgotten_until: new Date(forgottenMs).toISOString() } : {}),
    isolates: isolates.length,
    seen: isolates.reduce((sum, { seen }) => sum + seen, 0),
    missing: gaps.reduce((sum, { missing }) => sum + countOf(missing), 0),
    imported,
    gaps: gaps
      .slice(0, GAPS_MAX)
      .map(({ isolate, first, last, seen, missing }) => ({ isolate_id: isolate, first, last, seen, missing })),
  });
}

/** Returns NaN if the text is not a time. */
function timeOf(url: URL, name: string): number | undefined {
  const text = url.searchParams.get(name);
  return text === null ? undefined : Date.parse(text);
}
