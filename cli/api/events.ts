/** The history of one event, from `GET /api/events/:event_id`. */
import * as z from "zod";
import { ATTEMPT_FIELDS, EVENT_FIELDS } from "../../shared/event-answers.ts";
import type { Io } from "../run/io.ts";
import { tableLines } from "../run/text.ts";
import { schemaOf } from "./schema.ts";

const Attempt = schemaOf(ATTEMPT_FIELDS, ["n", "at", "outcome"]);

export const EventFate = schemaOf(EVENT_FIELDS, ["event_id", "state"]).extend({
  attempts: z.array(Attempt).default([]),
});
export type EventFate = z.infer<typeof EventFate>;

/** A heading and one line for each attempt, counted from one. "accepted" says whether WorkOS did, as far as its answer shows. */
export function attemptLines(io: Io, { attempts }: Pick<EventFate, "attempts">): readonly string[] {
  if (attempts.length === 0) return ["no attempt is on record"];
  const heading = ["attempt", "at", "ms", "outcome", "accepted", "status", "reason"];
  const rows = attempts.map(({ n, at, duration_ms, outcome, wrote, status, reason }) => [
    n,
    at,
    duration_ms,
    outcome,
    wrote,
    status,
    reason,
  ]);
  return tableLines(io, heading, rows);
}
