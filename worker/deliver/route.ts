/** `POST /deliver`: a message from QStash, delivered inside the request and answered with the truth. */
import { MESSAGE_MAX_BYTES } from "../../shared/limits.ts";
import { PACE_HEADER, RETRIES_HEADER } from "../../shared/publish-headers.ts";
import { isRetries } from "../../shared/retry-horizon.ts";
import type { AuditRecord } from "../../shared/record.ts";
import type { DeadLetterEntry } from "../dead-letters/entry.ts";
import { unreadableEntries } from "../dead-letters/unreadable.ts";
import { problemAnswer } from "../http/answers.ts";
import type { RouteContext, Route } from "../http/route.ts";
import { currentPause, pauseDelivery, reportDeadLetter, reportIncident } from "../monitor/client.ts";
import { answerFor, pausedAnswer } from "./answer.ts";
import { decodeMessage, type Decoded } from "../message/decode.ts";
import { deliverRecords } from "./deliver.ts";
import { livePorts } from "./live-ports.ts";
import { readPaceMs } from "./pace.ts";
import type { Delivery, DeliverPorts, RecordResult } from "./ports.ts";

export const deliverRoutes: readonly Route[] = [
  { method: "POST", path: "/deliver", access: "qstash", bodyMaxBytes: MESSAGE_MAX_BYTES, handle: deliver },
];

async function deliver(context: RouteContext): Promise<Response> {
  const { request, env, settings, body } = context;
  const delivery = deliveryOf(request);
  const pause = await currentPause(env, Date.now());
  if (pause) return pausedAnswer(pause.by, delivery);
  const decoded = decodeMessage(body);
  const ports = livePorts(env, settings, delivery.messageId);
  if (decoded.kind === "newer") return refuseNewer(context, decoded.version);
  const results = await Promise.all([
    decoded.kind === "message" ? deliverReadable(context, decoded.records, delivery, ports) : [],
    hasUnreadable(decoded) ? parkUnreadable(body, decoded, delivery, ports) : [],
  ]);
  const all = results.flat();
  if (all.some(({ kind }) => kind === "dead_letter")) await reportDeadLetters(context, all);
  return answerFor(all, delivery);
}

function hasUnreadable(decoded: Decoded): boolean {
  return decoded.kind !== "message" || decoded.unreadable.length > 0;
}

function deliveryOf(request: Request): Delivery {
  const messageId = request.headers.get("upstash-message-id");
  const retried = Number(request.headers.get("upstash-retried") ?? 0);
  const retries = Number(request.headers.get(RETRIES_HEADER));
  return {
    lease: crypto.randomUUID(),
    retried: Number.isInteger(retried) && retried > 0 ? retried : 0,
    ...(isRetries(retries) ? { retries } : {}),
    paceMs: readPaceMs(request.headers.get(PACE_HEADER)),
    ...(messageId ? { messageId } : {}),
  };
}

async function refuseNewer({ env }: RouteContext, version: number): Promise<Response> {
  const detail = `message version ${version} is newer than this worker; deploy the worker`;
  await reportIncident(env, "newer_message", detail, Date.now());
  return problemAnswer(503, "unsupported_version", "Newer message", detail);
}

async function parkUnreadable(
  body: Uint8Array,
  decoded: Decoded,
  { messageId }: Delivery,
  ports: DeliverPorts,
): Promise<readonly RecordResult[]> {
  const origin = { source: "worker", attempts: 0, ...(messageId === undefined ? {} : { messageId }) } as const;
  const entries = await unreadableEntries(body, decoded, origin);
  try {
    await ports.park(entries);
    return entries.map(resultOfEntry);
  } catch {
    return entries.map(({ eventId }) => ({ id: eventId, kind: "retry", reason: "archive_unreachable" }));
  }
}

function resultOfEntry({ eventId, class: deadLetterClass, reason }: DeadLetterEntry): RecordResult {
  return { id: eventId, kind: "dead_letter", class: deadLetterClass, reason };
}

/** The first dead letter of a class is an incident. */
async function reportDeadLetters({ env }: RouteContext, results: readonly RecordResult[]): Promise<void> {
  const classes = new Set(results.flatMap((result) => (result.kind === "dead_letter" ? result.class : [])));
  await Promise.all([...classes].map((name) => reportDeadLetter(env, name, Date.now())));
}

async function deliverReadable(
  { env }: RouteContext,
  records: readonly AuditRecord[],
  delivery: Delivery,
  ports: DeliverPorts,
): Promise<readonly RecordResult[]> {
  try {
    const results = await deliverRecords(records, delivery, ports);
    const refused = results.find((result) => result.kind === "retry" && result.pause === true);
    if (refused?.kind === "retry") await pauseRefused(env, refused.reason);
    return results;
  } catch {
    await reportIncident(env, "ledger_unreachable", "the ledger does not answer", Date.now());
    return records.map(({ id }) => ({ id, kind: "retry", reason: "ledger_unreachable" }));
  }
}

async function pauseRefused(env: RouteContext["env"], reason: string): Promise<void> {
  try {
    await pauseDelivery(env, `WorkOS refuses the API key (${reason})`, "credential", Date.now());
  } catch {
    // The records are retried all the same, and the next one that is refused pauses.
  }
}
