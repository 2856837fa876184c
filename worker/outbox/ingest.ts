/** `POST /ingest`: a spilled message, signed as Standard Webhooks do it and stored before the answer. */
import { Webhook } from "standardwebhooks";
import { isEventId } from "../../shared/event-id.ts";
import { MESSAGE_MAX_BYTES } from "../../shared/limits.ts";
import { deduplicationId, publishDelaySeconds, type Identified } from "../../shared/publish-headers.ts";
import { jsonAnswer, problemAnswer } from "../http/answers.ts";
import { readBounded } from "../http/body.ts";
import type { Context, Route } from "../http/router.ts";
import { parseJson } from "../parse-json.ts";
import { outboxOf } from "./client.ts";

export const ingestRoutes: readonly Route[] = [{ method: "POST", path: "/ingest", access: "signed", handle: ingest }];

async function ingest({ request, env, settings }: Context): Promise<Response> {
  const bytes = await readBounded(request, MESSAGE_MAX_BYTES);
  if (!bytes) {
    return problemAnswer(413, "payload_too_large", "Too large", `the body must be at most ${MESSAGE_MAX_BYTES} bytes`);
  }
  const body = new TextDecoder().decode(bytes);
  const refusal = refuseSignature(body, request, [settings.AUDIT_INGEST_KEY, settings.AUDIT_INGEST_KEY_PREVIOUS]);
  if (refusal) return problemAnswer(401, "invalid_signature", "Unauthorized", refusal);
  const records = identify(body);
  if (!records) {
    const detail = '"records" must be a list of objects, each with an "id"';
    return problemAnswer(400, "invalid_message", "Unreadable message", detail);
  }
  const id = deduplicationId(records);
  const delaySeconds = publishDelaySeconds(records);
  await outboxOf(env, id).add({ deduplicationId: id, body, delaySeconds, receivedMs: Date.now() });
  return jsonAnswer({ stored: true, deduplication_id: id }, 202);
}

/** Undefined where one of the keys signed it within five minutes. https://www.standardwebhooks.com */
function refuseSignature(body: string, request: Request, keys: readonly (string | undefined)[]): string | undefined {
  const names = ["webhook-id", "webhook-timestamp", "webhook-signature"] as const;
  const headers = Object.fromEntries(names.map((name) => [name, request.headers.get(name) ?? ""]));
  const missing = names.find((name) => headers[name] === "");
  if (missing !== undefined) return `"${missing}" is missing`;
  const isSigned = keys.some((key) => key !== undefined && isSignedWith(key, body, headers));
  return isSigned
    ? undefined
    : '"webhook-signature" does not match, or "webhook-timestamp" is more than five minutes off';
}

function isSignedWith(key: string, body: string, headers: Record<string, string>): boolean {
  try {
    new Webhook(key).verify(body, headers, { jsonParse: false });
    return true;
  } catch {
    return false;
  }
}

/** What the queue has to know of the records, also of a newer version's; undefined where there is none. */
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
