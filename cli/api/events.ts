/** The fate of one event, as `GET /api/events/:event_id` tells it. */
import * as z from "zod";
import type { Io } from "../run/io.ts";
import { tableLines } from "../run/text.ts";

export const EventFateAnswer = z.looseObject({
  event_id: z.string(),
  state: z.string(),
  attempts: z.array(z.record(z.string(), z.unknown())).default([]),
});
export type EventFate = z.infer<typeof EventFateAnswer>;

/** A heading and one line for each attempt, counted from one. */
export function attemptLines(io: Io, fate: EventFate): readonly string[] {
  if (fate.attempts.length === 0) return ["no attempts yet"];
  const columns = [...new Set(fate.attempts.flatMap((attempt) => Object.keys(attempt)))];
  const rows = fate.attempts.map((attempt, index) => [
    attempt["attempt"] === undefined ? index + 1 : undefined,
    ...columns.map((column) => cell(attempt[column])),
  ]);
  const numbered = rows.every(([number]) => number !== undefined);
  return tableLines(
    io,
    [...(numbered ? ["attempt"] : []), ...columns.map((column) => column.replaceAll("_", " "))],
    numbered ? rows : rows.map((row) => row.slice(1)),
  );
}

function cell(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}
