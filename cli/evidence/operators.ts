/** What a pack says about dead letters, replays and operators, without revealing other organizations. */
import * as z from "zod";
import { DEAD_LETTER_STATES } from "../../shared/dead-letter.ts";
import type { Api } from "../api/client.ts";
import { everyDeadLetter } from "../dead-letters/pages.ts";

interface Scope {
  readonly organization: string;
  readonly since: string;
  readonly until: string;
}

const Replay = z.looseObject({ id: z.string(), state: z.string(), created_at: z.string() });
const Replays = z.looseObject({ replays: z.array(Replay), cursor: z.string().optional() });
const Action = z.looseObject({
  action: z.string(),
  by: z.string(),
  at: z.string(),
  target: z.looseObject({ type: z.string(), id: z.string() }),
});
const Incidents = z.looseObject({ incidents: z.array(z.looseObject({ actions: z.array(Action).default([]) })) });

/** The fields of a dead letter in a pack; the record itself may hold data that does not concern the auditor. */
const FIELDS = [
  "event_id",
  "state",
  "class",
  "reason",
  "status",
  "action",
  "method",
  "route",
  "occurred_at",
  "parked_at",
  "replays",
  "replay_id",
] as const;

/** Dead letters of the period, one JSON line each, sorted by event id. */
export async function deadLetterLines(api: Api, { organization, since, until }: Scope): Promise<readonly string[]> {
  const lines: string[] = [];
  for await (const entry of everyDeadLetter(api, {
    organization,
    state: DEAD_LETTER_STATES.join(","),
    since,
    until,
  })) {
    if (entry.organization !== organization) continue;
    lines.push(JSON.stringify(Object.fromEntries(FIELDS.map((field) => [field, entry[field]]))));
  }
  return lines.toSorted();
}

/**
 * Replays of the period, and operator actions in it. Actions on single events are left out: an event may belong to another
 * organization.
 */
export async function operatorLines(api: Api, { since, until }: Scope): Promise<readonly string[]> {
  const lines: string[] = [];
  let cursor: string | undefined;
  do {
    const page: z.infer<typeof Replays> = await api.get(Replays, "/api/replays", { limit: 100, cursor });
    for (const replay of page.replays) {
      const { id, state, created_at: at, by, planned_by, finished_at } = replay;
      if (at >= since && at < until)
        lines.push(JSON.stringify({ at, kind: "replay", id, by, planned_by, state, finished_at }));
    }
    cursor = page.cursor;
  } while (cursor !== undefined);
  const { incidents } = await api.get(Incidents, "/api/incidents");
  for (const { action, by, at, target } of incidents.flatMap(({ actions }) => actions)) {
    const isAboutEvent = !["delivery", "replay"].includes(target.type);
    if (at >= since && at < until && !isAboutEvent)
      lines.push(JSON.stringify({ at, kind: "action", action, by, target }));
  }
  return [...new Set(lines)].toSorted();
}
