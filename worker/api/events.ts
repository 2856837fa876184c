/** `GET /api/events/:event_id` and `GET /api/events?request_id=`: everything that happened to a record. */
import type { AttemptAnswer, EventAnswer, EventPlace, EventState } from "../../shared/event-answers.ts";
import { correctedId, isEventReference, lateOutcomeId } from "../../shared/event-id.ts";
import { deadLetters } from "../dead-letters/client.ts";
import type { DeadLetterRow } from "../dead-letters/row.ts";
import type { Env } from "../env.ts";
import { jsonAnswer } from "../http/answers.ts";
import { isoTime } from "../json-fields.ts";
import type { RouteContext, Route } from "../http/route.ts";
import { outboxHolds } from "../outbox/client.ts";
import { encodeCursor } from "./cursor.ts";
import { searchOf } from "./event-search.ts";
import { decodedParameter, invalid } from "./parameters.ts";
import { findByRequest, lookup } from "../ledger/client.ts";
import type { LedgerAttempt, LedgerEntry } from "../ledger/types.ts";

export const eventRoutes: readonly Route[] = [
  { method: "GET", path: "/api/events/:event_id", access: "read", handle: show },
  { method: "GET", path: "/api/events", access: "read", handle: search },
];

async function show({ env, params }: RouteContext): Promise<Response> {
  const id = decodedParameter(params["event_id"]);
  if (!isEventReference(id)) throw invalid('"event_id" must be 1 to 64 characters of A-Z a-z 0-9 _ . -');
  const known = await lookup(env, [id, lateOutcomeId(id)]);
  const late = known.has(lateOutcomeId(id)) ? { late_outcome: lateOutcomeId(id) } : {};
  return jsonAnswer({ ...(await fateOf(env, id, known.get(id))), ...late });
}

async function search({ env, url }: RouteContext): Promise<Response> {
  const { limit, ...asked } = searchOf(url.searchParams, env.clock.now());
  // Reads one more than fits the page, to learn whether there is a next page.
  const one = { ...asked, limit: limit + 1 };
  const [found, parked] = await Promise.all([
    findByRequest(env, one),
    // Some records fail before they reach the ledger.
    deadLetters(env).idsOfRequest(one),
  ]);
  const inLedger = new Map(found.map((entry) => [entry.id, entry]));
  const ids = [...new Set([...inLedger.keys(), ...parked])].toSorted();
  const shown = ids.slice(0, limit);
  const others = await lookup(
    env,
    shown.filter((id) => !inLedger.has(id)),
  );
  const fates = await Promise.all(shown.map((id) => fateOf(env, id, inLedger.get(id) ?? others.get(id))));
  const last = ids.length > limit ? shown.at(-1) : undefined;
  return jsonAnswer({
    events: fates,
    searched: { since: isoTime(asked.sinceMs), until: isoTime(asked.untilMs) },
    ...(last === undefined ? {} : { cursor: encodeCursor([0, last]) }),
  });
}

async function fateOf(env: Env, id: string, ledger: LedgerEntry | undefined): Promise<EventAnswer> {
  const parked = await deadLetters(env).entry(id);
  const place = placeOf(ledger, parked) ?? ((await outboxHolds(env, id)) ? "outbox" : undefined);
  // A record discarded before it reached the ledger has no request id there.
  const occurredAtMs = parked?.occurred_at ?? ledger?.occurredAtMs;
  const corrects = correctedId(id);
  return {
    event_id: id,
    ...(corrects === undefined ? {} : { corrects }),
    state: stateOf(ledger, parked, place),
    ...(place === undefined ? {} : { where: place }),
    ...(occurredAtMs === undefined ? {} : { occurred_at: isoTime(occurredAtMs) }),
    ...(ledger ? ledgerView(ledger) : {}),
    attempts: (ledger?.attempts ?? []).map(attemptView),
    ...(parked
      ? {
          dead_letter: {
            class: parked.class,
            reason: parked.reason,
            state: parked.state,
            // Include messages still at the queue, which the ledger may not know.
            attempts: parked.attempts,
            parked_at: isoTime(parked.parked_at),
          },
        }
      : {}),
  };
}

function attemptView({ atMs, durationMs, ...rest }: LedgerAttempt, index: number): AttemptAnswer {
  return { n: index + 1, at: isoTime(atMs), duration_ms: durationMs, ...rest };
}

function placeOf(ledger: LedgerEntry | undefined, parked: DeadLetterRow | undefined): EventPlace | undefined {
  if (ledger?.state === "delivered") return "workos";
  if (ledger?.leased) return "queue";
  if (parked) return parked.state === "replaying" ? "queue" : "archive";
  return ledger ? "queue" : undefined;
}

function stateOf(
  ledger: LedgerEntry | undefined,
  parked: DeadLetterRow | undefined,
  place: EventPlace | undefined,
): EventState {
  if (ledger?.state === "delivered" || parked?.state === "delivered") return "delivered";
  if (ledger?.state === "discarded" || parked?.state === "discarded") return "discarded";
  if (place === "archive" || (ledger?.state === "rejected" && !parked)) return "dead_letter";
  return place === undefined ? "unknown" : "pending";
}

function ledgerView(ledger: LedgerEntry) {
  const { requestId, attempts, wrote } = ledger;
  // The current key's window may have begun later, and an attempt under way has not ended yet.
  const firstMs = attempts[0]?.atMs ?? (wrote === "no" ? undefined : ledger.firstAttemptAtMs);
  return {
    wrote,
    stage: ledger.stage,
    idempotency_key: ledger.key,
    replays: ledger.replays,
    in_flight: ledger.leased,
    ...(requestId === undefined ? {} : { request_id: requestId }),
    ...(firstMs === undefined ? {} : { first_attempt_at: isoTime(firstMs) }),
    ...(ledger.reason === undefined ? {} : { reason: ledger.reason }),
  };
}
