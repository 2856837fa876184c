/** `POST /deliver`: delivers a message from QStash within the request and answers with the real result. */
import { MESSAGE_MAX_BYTES } from "../../shared/limits.ts";
import type { AttemptOutcome, Verdict } from "../../shared/outcome.ts";
import { isOperatorRecord } from "../../shared/operator-actions.ts";
import { RETRIES_HEADER } from "../../shared/qstash-headers.ts";
import { isRetries } from "../../shared/retry-horizon.ts";
import type { AuditRecord } from "../../shared/record.ts";
import type { DeadLetterEntry } from "../dead-letters/entry.ts";
import { unreadableEntries } from "../dead-letters/unreadable.ts";
import { problemAnswer } from "../http/answers.ts";
import type { RouteContext, Route } from "../http/route.ts";
import {
  pauseDelivery,
  reportDeadLetter,
  reportIncident,
  reportVerdicts,
  takeTurn,
  TURN_MAX_MS,
} from "../monitor/client.ts";
import { shardsOf } from "../ledger/client.ts";
import { tellSoon } from "../monitor/history-client.ts";
import type { Turn } from "../monitor/pause.ts";
import { answerFor, pausedAnswer } from "./answer.ts";
import { decodeMessage, type DecodedMessage } from "../message/decoded-message.ts";
import { deliverRecords } from "./record-delivery.ts";
import { livePorts } from "./live-ports.ts";
import type { Delivery, DeliverPorts, RecordResult } from "./ports.ts";

/** After a longer wait, delivery asks again whether it is paused. Our choice. */
const LONG_WAIT_MS = 1_000;

export const deliverRoutes: readonly Route[] = [
  { method: "POST", path: "/deliver", access: "qstash", bodyMaxBytes: MESSAGE_MAX_BYTES, handle: deliver },
];

async function deliver(context: RouteContext): Promise<Response> {
  const { request, env, settings, body } = context;
  const decoded = decodeMessage(body);
  const turn = await awaitTurn(env, decoded.kind === "message" ? decoded.records : []);
  const delivery = { ...deliveryOf(request), ...(turn.pause?.by === "breaker" ? { held: HELD } : {}) };
  if (turn.pause && turn.pause.by !== "breaker") return pausedAnswer(turn.pause.by, delivery);
  if (turn.waitMs > TURN_MAX_MS) return noTurn(turn.waitMs);
  if (decoded.kind === "newer") return refuseNewer(context, decoded.version);
  const verdicts: Verdict[] = [];
  const ports = livePorts(env, settings, delivery.messageId, (heard) => void verdicts.push(...heard));
  const results = await Promise.all([
    decoded.kind === "message" ? deliverReadable(context, decoded.records, delivery, ports) : [],
    hasUnreadable(decoded) ? parkUnreadable(body, decoded, delivery, ports) : [],
  ]);
  const all = results.flat();
  await reportVerdicts(env, verdicts, turn.isWatched, env.clock.now());
  context.later(tellSoon(env, env.clock.now()));
  await reportDeadLetters(context, all, decoded);
  if (delivery.held && all.some(({ kind }) => kind === "retry")) return pausedAnswer("breaker", delivery);
  return answerFor(all, delivery, env.clock.now());
}

/** Delivery is paused because WorkOS is down: the ledger records the events, so that the worker can send them first. */
const HELD: AttemptOutcome = { kind: "retry", wrote: "no", reason: "paused_by_breaker" };

/** Its turn has come; after a long wait, delivery may be paused. */
async function awaitTurn(env: RouteContext["env"], records: readonly AuditRecord[]): Promise<Turn> {
  const shards = shardsOf(records.map(({ id }) => id));
  const turn = await takeTurn(env, records.length, shards, env.clock.now());
  if (turn.waitMs <= 0 || turn.waitMs > TURN_MAX_MS) return turn;
  await env.clock.wait(turn.waitMs);
  return turn.waitMs < LONG_WAIT_MS ? turn : takeTurn(env, 0, [], env.clock.now());
}

/** Too many events wait already, so this message cannot wait for its turn. */
function noTurn(waitMs: number): Response {
  const detail = "too many events wait for their turn; QStash delivers the message again";
  return problemAnswer(503, "undelivered", "Not delivered", detail, {
    "retry-after": String(Math.ceil(waitMs / 1000)),
  });
}

function hasUnreadable(decoded: DecodedMessage): boolean {
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
    ...(messageId ? { messageId } : {}),
  };
}

async function refuseNewer({ env }: RouteContext, version: number): Promise<Response> {
  const detail = `message version ${version} is newer than this worker; deploy the worker`;
  await reportIncident(env, "newer_message", detail, env.clock.now());
  return problemAnswer(503, "unsupported_version", "Newer message", detail);
}

async function parkUnreadable(
  body: Uint8Array,
  decoded: DecodedMessage,
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

/** The first dead letter of a class opens an incident. Events about operators have their own incident. */
async function reportDeadLetters(
  { env }: RouteContext,
  all: readonly RecordResult[],
  decoded: DecodedMessage,
): Promise<void> {
  const ended = all.flatMap((result) => (result.kind === "dead_letter" ? result : []));
  if (ended.length === 0) return;
  const records = decoded.kind === "message" ? decoded.records : [];
  const own = new Set(records.filter(isOperatorRecord).map(({ id }) => id));
  const classes = new Set(ended.filter(({ id }) => !own.has(id)).map((result) => result.class));
  await Promise.all([...classes].map((name) => reportDeadLetter(env, name, env.clock.now())));
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
    await reportIncident(env, "ledger_unreachable", "the ledger does not answer", env.clock.now());
    return records.map(({ id }) => ({ id, kind: "retry", reason: "ledger_unreachable" }));
  }
}

async function pauseRefused(env: RouteContext["env"], reason: string): Promise<void> {
  try {
    await pauseDelivery(env, `WorkOS refuses the API key (${reason})`, "credential");
  } catch {
    // The records are retried anyway, and the next refused one pauses delivery.
  }
}
