/** `trace <event-id>`: everything that happened to one record. Accepts the gateway's request id too. */
import * as z from "zod";
import { AuditError } from "../../shared/errors.ts";
import { isEventReference } from "../../shared/event-id.ts";
import { type Api, openApi, type Query } from "../api/client.ts";
import { attemptLines, type EventFate, EventFateAnswer } from "../api/events.ts";
import { command } from "../run/command.ts";
import { WrongUse } from "../run/failure.ts";
import type { Io } from "../run/io.ts";
import { pairLines } from "../run/text.ts";
import { parseSpan } from "../run/time.ts";

const EventPage = z.looseObject({ events: z.array(EventFateAnswer) });

export const trace = command({
  usage: "trace <id>",
  about: "Show what became of one record, by its event id or its request id",
  examples: [["trace 019ab0c4-3f1e-7c55-9d3e-0f6d2c1b0a07", "when captured, each attempt, where it is now"]],
  options: (yargs) =>
    yargs
      .positional("id", { type: "string", demandOption: true, describe: "Event id, or request id" })
      .option("request-id", { type: "boolean", describe: "Take the id as a request id only" })
      .option("since", {
        type: "string",
        describe: "For a request id: ISO 8601, or an age; default 24 h before --until",
      })
      .option("until", { type: "string", describe: "For a request id: ISO 8601, or an age; default now" }),
  run: async ({ id, requestId, ...span }, io) => {
    if (id === "") throw new WrongUse('"id" must not be empty');
    const between = parseSpan(span, Date.now());
    const api = openApi(io);
    const fates = (requestId ? undefined : await byEventId(api, id)) ?? (await byRequestId(api, id, between));
    if (fates.length === 0) throw notFound(id);
    return {
      json: fates.length === 1 ? fates[0] : { events: fates },
      lines: fates.flatMap((fate, index) => (index > 0 ? [""] : []).concat(fateLines(io, fate))),
    };
  },
});

function notFound(id: string): AuditError {
  const unless = 'one that still waits in QStash is not known yet, and an older request id needs "--since"';
  return new AuditError("not_found", `no record has the event id or request id "${id}"; ${unless}`);
}

async function byEventId(api: Api, id: string): Promise<readonly EventFate[] | undefined> {
  if (!isEventReference(id)) return undefined;
  try {
    const fate = await api.get(EventFateAnswer, `/api/events/${encodeURIComponent(id)}`);
    if (fate.state === "unknown") return undefined;
    const { late_outcome: late } = fate;
    return late === undefined
      ? [fate]
      : [fate, await api.get(EventFateAnswer, `/api/events/${encodeURIComponent(late)}`)];
  } catch (error) {
    if (error instanceof AuditError && error.code === "not_found") return undefined;
    throw error;
  }
}

async function byRequestId(api: Api, requestId: string, between: Query): Promise<readonly EventFate[]> {
  return (await api.get(EventPage, "/api/events", { request_id: requestId, ...between })).events;
}

function fateLines(io: Io, fate: EventFate): readonly string[] {
  const { attempts: _shownBelow, ...fields } = { ...fate, where: whereOf(fate) };
  return [...pairLines(pairsOf(fields)), "", ...attemptLines(io, fate)];
}

/** As `dead-letters show` calls it. */
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
