/** The routes of the dead letters. `docs/api.md` describes them. */
import * as z from "zod/mini";
import { IMPORT_MAX_LINES } from "../../shared/api.ts";
import { AuditError } from "../../shared/errors.ts";
import { isEventReference } from "../../shared/event-id.ts";
import { jsonAnswer } from "../http/answers.ts";
import { demandRole } from "../http/caller.ts";
import { jsonOf, OPERATOR_BODY_MAX_BYTES } from "../http/json.ts";
import type { RouteContext, Route } from "../http/route.ts";
import { markDiscarded } from "../ledger/client.ts";
import type { Page } from "../dead-letters/query.ts";
import { recordLook, recordOperatorEvent } from "../operator-event.ts";
import { deadLetters } from "../dead-letters/client.ts";
import { callbackRoute } from "../dead-letters/callback.ts";
import { encodeCursor } from "./cursor.ts";
import { discardMany } from "./dead-letter-discards.ts";
import { Reason } from "./discard-body.ts";
import { parseImport } from "./dead-letter-import.ts";
import { parseListQuery } from "./dead-letter-query.ts";
import { decodedParameter, invalid, onceEach } from "./parameters.ts";
import type { DeadLetterRow, DeadLetterSummary } from "../dead-letters/row.ts";
import { isoTime } from "../json-fields.ts";
import { summaryView, wholeView } from "./dead-letter-view.ts";

/** The audit event's target for an action on all dead letters. */
const ARCHIVE = { id: "archive", type: "archive" };

const DiscardBody = z.strictObject({ reason: Reason });

export const deadLetterRoutes: readonly Route[] = [
  { method: "GET", path: "/api/dead-letters", access: "read", handle: list },
  {
    method: "POST",
    path: "/api/dead-letters/import",
    access: "admin",
    bodyMaxBytes: OPERATOR_BODY_MAX_BYTES,
    handle: importEntries,
  },
  {
    method: "POST",
    path: "/api/dead-letters/discard",
    access: "operate",
    bodyMaxBytes: OPERATOR_BODY_MAX_BYTES,
    handle: discardMany,
  },
  { method: "GET", path: "/api/dead-letters/:event_id", access: "read", handle: show },
  {
    method: "POST",
    path: "/api/dead-letters/:event_id/discard",
    access: "operate",
    bodyMaxBytes: OPERATOR_BODY_MAX_BYTES,
    handle: discard,
  },
  callbackRoute,
];

async function list(context: RouteContext): Promise<Response> {
  const { url, env, operator } = context;
  const query = parseListQuery(url.searchParams);
  const { filter, states, limit, after, groupBy, reveal } = query;
  if (groupBy) {
    const counted = await deadLetters(env).groups(filter, states, groupBy);
    const groups = counted.groups.map(({ value, count, oldest, newest }) => ({
      value,
      count,
      oldest_parked_at: isoTime(oldest),
      newest_parked_at: isoTime(newest),
    }));
    return jsonAnswer({ group_by: groupBy, groups, total: counted.total });
  }
  if (query.whole) demandRole(operator, "operate", '"whole", which exports,');
  const asked = { filter, states, limit, after };
  const page: Page<DeadLetterSummary> = query.whole
    ? await deadLetters(env).wholePage(asked)
    : await deadLetters(env).page(asked);
  if (query.whole) {
    await recordLook(context, {
      action: "audit_forwarder.dead_letters_exported",
      route: "/api/dead-letters",
      target: ARCHIVE,
      metadata: { exported: page.rows.length, revealed: reveal },
    });
  }
  const last = page.more ? page.rows.at(-1) : undefined;
  return jsonAnswer({
    dead_letters: page.rows.map((row) => (query.whole ? wholeView(row as DeadLetterRow, reveal) : summaryView(row))),
    ...(last ? { cursor: encodeCursor([last.parked_at, last.event_id]) } : {}),
  });
}

async function show(context: RouteContext): Promise<Response> {
  const { url, env, params, operator } = context;
  const { reveal, ...unknown } = onceEach(url.searchParams);
  const [wrong] = Object.keys(unknown);
  if (wrong !== undefined) throw invalid('only "reveal" is a parameter of this route');
  if (reveal !== undefined && reveal !== "true" && reveal !== "false")
    throw invalid('"reveal" must be "true" or "false"');
  if (reveal === "true") demandRole(operator, "operate", '"reveal"');
  const row = await deadLetters(env).entry(eventIdOf(params));
  if (!row) throw notFound();
  if (reveal === "true") {
    await recordLook(context, {
      action: "audit_forwarder.dead_letters_revealed",
      route: "/api/dead-letters/:event_id",
      target: { id: row.event_id, type: "dead_letter" },
    });
  }
  return jsonAnswer(wholeView(row, reveal === "true"));
}

async function discard(context: RouteContext): Promise<Response> {
  const { body, env, params, operator } = context;
  const eventId = eventIdOf(params);
  const asked = DiscardBody.safeParse(jsonOf(body));
  if (!asked.success) throw invalid('"reason" must be 1 to 500 characters, and the only field');
  const { reason } = asked.data;
  const row = await deadLetters(env).entry(eventId);
  if (!row) throw notFound();
  if (row.state === "open") {
    // The ledger first: once it says discarded, a delivery under way can no longer make the tombstone wrong.
    const ledger = await markDiscarded(env, eventId, reason);
    if (ledger !== "discarded") {
      throw new AuditError("conflict", `the event is ${ledger === "leased" ? "being delivered" : "delivered"}`);
    }
  }
  const result = await deadLetters(env).discard(eventId, reason, operator.name);
  if (result.kind === "not_found") throw notFound();
  if (result.kind === "conflict") throw new AuditError("conflict", `the dead letter is ${result.state}`);
  if (result.fresh) {
    await recordOperatorEvent(context, {
      action: "audit_forwarder.dead_letter_discarded",
      route: "/api/dead-letters/:event_id/discard",
      target: { id: eventId, type: "dead_letter" },
      metadata: { reason },
    });
  }
  return jsonAnswer(summaryView(result.row));
}

async function importEntries(context: RouteContext): Promise<Response> {
  const { body, env, operator, receivedMs } = context;
  const by = operator.name;
  const { rows, refused } = parseImport(new TextDecoder().decode(body), { by, atMs: receivedMs });
  if (rows.length + refused.length > IMPORT_MAX_LINES)
    throw invalid(`the body must hold at most ${IMPORT_MAX_LINES} lines`);
  const imported = await deadLetters(env).importRows(rows);
  if (imported > 0) {
    await recordOperatorEvent(context, {
      action: "audit_forwarder.dead_letters_imported",
      route: "/api/dead-letters/import",
      target: ARCHIVE,
      metadata: { imported },
    });
  }
  return jsonAnswer({ imported, known: rows.length - imported, refused, by, at: isoTime(receivedMs) });
}

function eventIdOf(params: RouteContext["params"]): string {
  const eventId = decodedParameter(params["event_id"]);
  if (!isEventReference(eventId)) throw notFound();
  return eventId;
}

function notFound(): AuditError {
  return new AuditError("not_found", "there is no such dead letter");
}
