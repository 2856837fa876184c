/** What QStash is told of a message: done, again, or never. Pure. */
import { retryPlan } from "../../shared/retry-horizon.ts";
import { jsonAnswer, problemAnswer } from "../http/answers.ts";
import type { Pause } from "../monitor/pause.ts";
import type { Delivery, RecordResult } from "./ports.ts";

/** Without a wait that WorkOS asked for, QStash's own schedule holds; a lease or a pause is over much sooner. */
const PAUSED_RETRY_AFTER_MS = 30_000;

type Turn = Pick<Delivery, "retried" | "retries">;

/**
 * The answer to a message: 503 while a record needs another attempt; 489 (which QStash does not retry) once all have ended and
 * one is a dead letter; otherwise 200. The body names each record's reason.
 */
export function answerFor(results: readonly RecordResult[], turn: Turn): Response {
  const records = results.map((result) => ({
    id: result.id,
    result: result.kind,
    reason: "reason" in result ? result.reason : undefined,
  }));
  const retries = results.filter((result) => result.kind === "retry");
  if (retries.length > 0) {
    const asked = retries.map((result) => result.retryAfterMs ?? (result.pause ? PAUSED_RETRY_AFTER_MS : 0));
    const headers = retryAfterHeader(Math.max(...asked), turn);
    const detail = '"records" says which are not delivered yet; send the message again';
    return problemAnswer(503, "undelivered", "Not delivered", detail, headers, { records });
  }
  if (results.every(({ kind }) => kind !== "dead_letter")) return jsonAnswer({ records });
  const detail = '"records" says which are dead letters and why; sending the message again changes nothing';
  return problemAnswer(489, "rejected", "Rejected", detail, { "upstash-nonretryable-error": "true" }, { records });
}

/**
 * The answer to a message that cannot be delivered while delivery is paused. `by` says who paused it: QStash hands the last
 * answer back when it gives the message up, and that may be after the pause is over.
 */
export function pausedAnswer(by: Pause["by"], turn: Turn): Response {
  const headers = retryAfterHeader(PAUSED_RETRY_AFTER_MS, turn);
  const detail = "delivery is paused; resume it with POST /api/resume";
  return problemAnswer(503, "paused", "Paused", detail, headers, { by });
}

/**
 * A wait is passed on as it was asked for at the first attempt. Later it may lengthen the schedule but never shorten it, or a few
 * short waits would spend every attempt within minutes and turn an outage into dead letters.
 */
function retryAfterHeader(askedMs: number, { retried, retries }: Turn): Record<string, string> {
  if (askedMs <= 0) return {};
  const plannedMs = retried > 0 ? (retryPlan(retries).delaysMs[retried] ?? 0) : 0;
  return { "retry-after": String(Math.ceil(Math.max(askedMs, plannedMs) / 1000)) };
}
