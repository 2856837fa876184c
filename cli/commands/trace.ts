/** `trace <event-id>`: shows everything that happened to one record. Also accepts the gateway's request id. */
import * as z from "zod";
import { FOUND_PAGE_MAX } from "../../shared/api.ts";
import { AuditError } from "../../shared/errors.ts";
import { isEventReference } from "../../shared/event-id.ts";
import { type Api, openApi } from "../api/client.ts";
import { attemptLines, EventFate } from "../api/events.ts";
import { command } from "../run/command.ts";
import { WrongUse } from "../run/failure.ts";
import type { Io } from "../run/io.ts";
import { pairLines } from "../run/text.ts";
import { parseSpan } from "../run/time.ts";

const EventPage = z.looseObject({ events: z.array(EventFate), cursor: z.string().optional() });
type Found = Pick<z.infer<typeof EventPage>, "events" | "cursor">;

export const trace = command({
  usage: "trace <id>",
  about: "Show what happened to one record, by its event id or its request id",
  examples: [["trace 019ab0c4-3f1e-7c55-9d3e-0f6d2c1b0a07", "capture time, each attempt, current state"]],
  options: (yargs) =>
    yargs
      .positional("id", { type: "string", demandOption: true, describe: "Event id, or request id" })
      .option("request-id", { type: "boolean", describe: "Treat the id as a request id only" })
      .option("since", {
        type: "string",
        describe: "For a request id: ISO 8601, or an age; default 24 h before --until",
      })
      .option("until", { type: "string", describe: "For a request id: ISO 8601, or an age; default now" })
      .option("limit", {
        type: "number",
        describe: `For a request id: records per page, 1 to ${FOUND_PAGE_MAX}; default 50`,
      })
      .option("cursor", {
        type: "string",
        describe: "For a request id: the cursor of the next page, from the previous page",
      }),
  run: async ({ id, requestId, limit, cursor, since, until }, io) => {
    if (id === "") throw new WrongUse('"id" must not be empty');
    if (limit !== undefined && !(Number.isInteger(limit) && limit >= 1 && limit <= FOUND_PAGE_MAX)) {
      throw new WrongUse(`"--limit" must be a whole number from 1 to ${FOUND_PAGE_MAX}`);
    }
    const query = { request_id: id, ...parseSpan({ since, until }, Date.now()), limit, cursor };
    const api = openApi(io);
    const isEventId = !requestId && cursor === undefined;
    const found =
      (isEventId ? await byEventId(api, id) : undefined) ?? (await api.get(EventPage, "/api/events", query));
    const { events: fates, cursor: next } = found;
    if (fates.length === 0) throw notFound(id);
    if (next !== undefined) io.note(`more records have this request id: add --cursor ${next}`);
    return {
      json: fates.length === 1 && next === undefined ? fates[0] : { events: fates, cursor: next },
      lines: fates.flatMap((fate, index) => (index > 0 ? [""] : []).concat(fateLines(io, fate))),
    };
  },
});

function notFound(id: string): AuditError {
  const unless = 'one that still waits in QStash is not known yet, and an older request id needs "--since"';
  return new AuditError("not_found", `no record has the event id or request id "${id}"; ${unless}`);
}

async function byEventId(api: Api, id: string): Promise<Found | undefined> {
  if (!isEventReference(id)) return undefined;
  try {
    const fate = await api.get(EventFate, `/api/events/${encodeURIComponent(id)}`);
    if (fate.state === "unknown") return undefined;
    const { late_outcome: late } = fate;
    if (late === undefined) return { events: [fate] };
    return { events: [fate, await api.get(EventFate, `/api/events/${encodeURIComponent(late)}`)] };
  } catch (error) {
    if (error instanceof AuditError && error.code === "not_found") return undefined;
    throw error;
  }
}

function fateLines(io: Io, fate: EventFate): readonly string[] {
  const { attempts: _shownBelow, ...fields } = { ...fate, where: whereOf(fate) };
  return [...pairLines(pairsOf(fields)), "", ...attemptLines(io, fate)];
}

/** The same lines as `dead-letters show`. */
const LABELS: Readonly<Record<string, string>> = { wrote: "accepted" };

/** WorkOS has no route to read an event back, so its 2xx is the only evidence. */
function whereOf({ where, attempts }: EventFate): unknown {
  if (where !== "workos") return where;
  const accepted = attempts.findLast(({ outcome }) => outcome === "delivered")?.at;
  return accepted === undefined ? "accepted by WorkOS" : `accepted by WorkOS at ${accepted}`;
}

/** Prefixes the names of nested fields with the name of their parent. */
function pairsOf(fields: object, within = ""): (readonly [string, string])[] {
  return Object.entries(fields).flatMap(([key, value]: [string, unknown]) => {
    const name = within + (LABELS[key] ?? key.replaceAll("_", " "));
    if (value === undefined) return [];
    if (typeof value === "object" && value !== null) return pairsOf(value, `${name} `);
    return [[name, typeof value === "string" ? value : JSON.stringify(value)] as const];
  });
}
