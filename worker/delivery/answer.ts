/** The worker's answer to QStash for a message: done, retry or never. Pure. */
import { keptWaitMs, retryPlan } from "../../shared/retry-horizon.ts";
import { jsonAnswer, problemAnswer } from "../http/answers.ts";
import type { Pause } from "../monitor/pause.ts";
import type { Delivery, RecordResult } from "./ports.ts";

/** Unless WorkOS asked for a wait, QStash's own schedule applies; a lease or a pause ends much sooner. */
const PAUSED_RETRY_AFTER_MS = 30_000;

type Turn = Pick<Delivery, "retried" | "retries">;

/**
 * Answers a message: 503 while a record needs another attempt; 489 (which QStash does not retry) once all have ended and at least
 * one is a dead letter; otherwise 200. The body names each record's reason.
 */
export function answerFor(results: readonly RecordResult[], turn: Turn, nowMs: number): Response {
  const records = results.map((result) => ({
    id: result.id,
    result: result.kind,
    reason: "reason" in result ? result.reason : undefined,
  }));
  const retries = results.filter((result) => result.kind === "retry");
  if (retries.length > 0) {
    const asked = retries.map((result) => result.retryAfterMs ?? (result.pause ? PAUSED_RETRY_AFTER_MS : 0));
    const beganMs = Math.min(nowMs, ...retries.map(({ beganAtMs }) => beganAtMs ?? nowMs));
    const headers = retryAfterHeader(Math.max(...asked), turn, nowMs - beganMs);
    const detail = '"records" says which are not delivered yet; send the message again';
    return problemAnswer(503, "undelivered", "Not delivered", detail, headers, { records });
  }
  if (results.every(({ kind }) => kind !== "dead_letter")) return jsonAnswer({ records });
  const detail = '"records" says which are dead letters and why; sending the message again changes nothing';
  return problemAnswer(489, "rejected", "Rejected", detail, { "upstash-nonretryable-error": "true" }, { records });
}

/**
 * Answers a message that arrives while delivery is paused. `by` says who paused it: QStash returns the last answer when it gives
 * the message up, and the pause may be over by then.
 */
export function pausedAnswer(by: Pause["by"], turn: Turn): Response {
  const headers = retryAfterHeader(PAUSED_RETRY_AFTER_MS, turn, 0);
  const detail = "delivery is paused; resume it with POST /api/resume";
  return problemAnswer(503, "paused", "Paused", detail, headers, { by });
}

/** `sinceFirstMs` is the time since the first attempt that the ledger knows; at least the delays planned so far. */
function retryAfterHeader(askedMs: number, { retried, retries }: Turn, sinceFirstMs: number): Record<string, string> {
  if (askedMs <= 0) return {};
  const plannedMs = retryPlan(retries).delaysMs.slice(0, retried);
  const elapsedMs = Math.max(
    sinceFirstMs,
    plannedMs.reduce((sum, delayMs) => sum + delayMs, 0),
  );
  const waitMs = keptWaitMs(askedMs, retried, elapsedMs, retries) ?? askedMs;
  return { "retry-after": String(Math.ceil(waitMs / 1000)) };
}
