/** `POST /ingest`: a spilled message, signed as a Standard Webhook and stored before the answer. */
import { AuditError } from "../../shared/errors.ts";
import { isEventId } from "../../shared/event-id.ts";
import { MESSAGE_MAX_BYTES } from "../../shared/limits.ts";
import { deduplicationId, publishDelaySeconds, type Identified } from "../../shared/qstash-headers.ts";
import { jsonAnswer } from "../http/answers.ts";
import type { RouteContext, Route } from "../http/route.ts";
import { parseJson } from "../json.ts";
import { outboxOf } from "./client.ts";

export const ingestRoutes: readonly Route[] = [
  { method: "POST", path: "/ingest", access: "webhook", bodyMaxBytes: MESSAGE_MAX_BYTES, handle: ingest },
];

async function ingest({ env, body }: RouteContext): Promise<Response> {
  const text = new TextDecoder().decode(body);
  const records = identify(text);
  if (!records) throw new AuditError("invalid_message", '"records" must be a list of objects, each with an "id"');
  const id = deduplicationId(records);
  const delaySeconds = publishDelaySeconds(records);
  await outboxOf(env, id).add({ deduplicationId: id, body: text, delaySeconds, receivedMs: env.clock.now() });
  return jsonAnswer({ stored: true, deduplication_id: id }, 202);
}

/** What the queue needs to know about the records, even those of a newer version; undefined if there are none. */
function identify(body: string): readonly Identified[] | undefined {
  const records = recordsIn(body);
  if (!Array.isArray(records) || records.length === 0) return undefined;
  const identified = records.map(identifyOne);
  return identified.every((record) => record !== undefined) ? identified : undefined;
}

function recordsIn(body: string): unknown {
  const json = parseJson(body);
  return typeof json === "object" && json !== null && "records" in json ? json.records : undefined;
}

function identifyOne(record: unknown): Identified | undefined {
  if (typeof record !== "object" || record === null) return undefined;
  const { id, k, rp } = record as { id?: unknown; k?: unknown; rp?: { n?: unknown } };
  if (!isEventId(id)) return undefined;
  const stage = k === "i" ? "intent" : k === "w" ? "watchdog" : "outcome";
  return { id, stage, ...(typeof rp?.n === "number" ? { replay: { n: rp.n } } : {}) };
}
