/** The history of one event, from `GET /api/events/:event_id`. */
import * as z from "zod";
import type { Io } from "../run/io.ts";
import { tableLines } from "../run/text.ts";

export const EventFateAnswer = z.looseObject({
  event_id: z.string(),
  state: z.string(),
  /** The id of the event with the outcome, which came later. */
  late_outcome: z.string().optional(),
  attempts: z
    .array(
      z.looseObject({
        n: z.number(),
        at: z.string(),
        duration_ms: z.number().optional(),
        outcome: z.string(),
        wrote: z.string().optional(),
        status: z.number().optional(),
        reason: z.string().optional(),
      }),
    )
    .default([]),
});
export type EventFate = z.infer<typeof EventFateAnswer>;

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
