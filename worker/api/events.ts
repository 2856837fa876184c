/** `GET /api/events/:event_id` and `GET /api/events?request_id=`: the whole fate of a record. */
import { AuditError } from "../../shared/errors.ts";
import { correctedId, isEventReference, lateOutcomeId } from "../../shared/event-id.ts";
import { deadLetters } from "../dead-letters/client.ts";
import type { Row } from "../dead-letters/row.ts";
import type { Env } from "../env.ts";
import { jsonAnswer } from "../http/answers.ts";
import { isoTime } from "../json-fields.ts";
import type { RouteContext, Route } from "../http/route.ts";
import { outboxHolds } from "../outbox/client.ts";
import { decodedParameter } from "./parameters.ts";
import { findByRequest, lookup, MAX_FOUND } from "../ledger/client.ts";
import type { LedgerAttempt, LedgerEntry } from "../ledger/types.ts";

/** How far back a request id is looked for by default; the ledger keeps no index of them. Our choice. */
const SEARCH_WINDOW_MS = 24 * 3_600_000;

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
  const requestId = url.searchParams.get("request_id");
  if (!requestId) throw invalid('"request_id" must be given');
  const untilMs = timeOf(url.searchParams.get("until")) ?? Date.now() + 60_000;
  const sinceMs = timeOf(url.searchParams.get("since")) ?? Math.max(untilMs - SEARCH_WINDOW_MS, 0);
  if (Number.isNaN(untilMs) || Number.isNaN(sinceMs)) throw invalid('"since" and "until" must be ISO 8601 times');
  const [found, parked] = await Promise.all([
    findByRequest(env, requestId, sinceMs, untilMs),
    // Some fail before they get to the ledger.
    deadLetters(env).idsOfRequest(requestId, sinceMs, untilMs, MAX_FOUND),
  ]);
  const known = new Map([...(await lookup(env, parked)), ...found.map((entry) => [entry.id, entry] as const)]);
  const ids = [...new Set([...known.keys(), ...parked])];
  const fates = await Promise.all(ids.map((id) => fateOf(env, id, known.get(id))));
  return jsonAnswer({
    events: fates.toSorted((left, right) => (left.occurred_at ?? "").localeCompare(right.occurred_at ?? "")),
    searched: { since: isoTime(sinceMs), until: isoTime(untilMs) },
  });
}

/** NaN where it is no time. */
function timeOf(text: string | null): number | undefined {
  return text === null ? undefined : Date.parse(text);
}

async function fateOf(env: Env, id: string, ledger: LedgerEntry | undefined) {
  const parked = await deadLetters(env).entry(id);
  const place = placeOf(ledger, parked) ?? ((await outboxHolds(env, id)) ? "outbox" : undefined);
  // The ledger knows no request of what was discarded before it got there.
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
            // Those of the queue too, of which the ledger may have heard nothing.
            attempts: parked.attempts,
            parked_at: isoTime(parked.parked_at),
          },
        }
      : {}),
  };
}

function attemptView({ atMs, durationMs, outcome, wrote, status, reason }: LedgerAttempt, index: number) {
  return { n: index + 1, at: isoTime(atMs), duration_ms: durationMs, outcome, wrote, status, reason };
}

type Place = "workos" | "queue" | "archive" | "outbox";

function placeOf(ledger: LedgerEntry | undefined, parked: Row | undefined): Place | undefined {
  if (ledger?.state === "delivered") return "workos";
  if (ledger?.leased) return "queue";
  if (parked) return parked.state === "replaying" ? "queue" : "archive";
  return ledger ? "queue" : undefined;
}

function stateOf(ledger: LedgerEntry | undefined, parked: Row | undefined, place: Place | undefined) {
  if (ledger?.state === "delivered" || parked?.state === "delivered") return "delivered";
  if (ledger?.state === "discarded" || parked?.state === "discarded") return "discarded";
  if (place === "archive" || (ledger?.state === "rejected" && !parked)) return "dead_letter";
  return place === undefined ? "unknown" : "pending";
}

function ledgerView(ledger: LedgerEntry) {
  const { requestId, attempts, wrote } = ledger;
  // The window of the present key may have begun later, and one that is under way has not ended yet.
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

function invalid(detail: string): AuditError {
  return new AuditError("invalid_request", detail);
}
