import type { FaultBoard } from "../faults.ts";
import type { Database } from "../store/database.ts";
import { addEvent } from "../store/events.ts";
import { DEFAULT_RETRIES, endMessage, insertMessage, type Message } from "../store/messages.ts";
import { nextDelay } from "./backoff.ts";
import { callbackMessage } from "./callbacks.ts";
import type { Outcome } from "./sender.ts";

/** QStash's signal for "do not retry": this status with `Upstash-NonRetryable-Error: true`. */
const NON_RETRYABLE_STATUS = 489;

/**
 * Stores the result of an attempt (delivered, a retry, or the dead-letter queue) and makes the callbacks. Call it inside a write.
 * Returns the lanes that got a new message.
 */
export function settle(
  database: Database,
  message: Message,
  outcome: Outcome,
  faults: FaultBoard,
  now: number,
): string[] {
  // The result is lost, as when a server dies before storing it: the message is delivered again.
  if (faults.forgetOutcome()) {
    database.run("UPDATE message SET state = 'pending' WHERE seq = ? AND state = 'active'", message.seq);
    return [];
  }
  const cancelled = stateOf(database, message.seq) === "cancelled";
  const ok = outcome.answer !== undefined && outcome.answer.status >= 200 && outcome.answer.status < 300;
  const lanes: string[] = [];
  const tell = (callback: Message["options"]["callback"], dlqId?: string): void => {
    if (callback === undefined) return;
    lanes.push(insertMessage(database, callbackMessage(callback, message, outcome, dlqId), now).lane);
  };
  if (ok) {
    if (!cancelled) endMessage(database, message.seq, "delivered", now);
    addEvent(database, { messageSeq: message.seq, time: now, state: "DELIVERED", answer: outcome.answer });
    tell(message.options.callback);
  } else if (!cancelled) {
    const dlqId = fail(database, message, outcome, now);
    tell(message.options.callback);
    if (dlqId !== undefined && message.options.failureCallback !== undefined && !faults.dropFailureCallback()) {
      tell(message.options.failureCallback, dlqId);
    }
  }
  return lanes;
}

function stateOf(database: Database, seq: number): string | undefined {
  return database.one<{ state: string }>("SELECT state FROM message WHERE seq = ?", seq)?.state;
}

/** Schedules the next attempt, or moves the message to the dead-letter queue and returns its id there. */
function fail(database: Database, message: Message, outcome: Outcome, now: number): string | undefined {
  const entry = {
    messageSeq: message.seq,
    time: now,
    answer: outcome.answer,
    ...(outcome.error === undefined ? {} : { error: outcome.error }),
  };
  const header = outcome.answer?.header ?? {};
  const final =
    (outcome.answer?.status === NON_RETRYABLE_STATUS && header["upstash-nonretryable-error"]?.[0] === "true") ||
    message.retried >= (message.options.retries ?? DEFAULT_RETRIES);
  if (final) {
    addEvent(database, { ...entry, state: "ERROR" });
    const dlqSeq = addEvent(database, { ...entry, state: "FAILED" });
    bury(database, message.seq, dlqSeq, outcome, now);
    return `${now}-${dlqSeq}`;
  }
  const { retried, options } = message;
  const nextDelivery = now + nextDelay({ retried, retryDelay: options.retryDelay, header, now });
  addEvent(database, { ...entry, state: "ERROR", nextDelivery });
  addEvent(database, { messageSeq: message.seq, time: now, state: "RETRY", nextDelivery });
  database.run(
    "UPDATE message SET state = 'pending', retried = retried + 1, due_at = ? WHERE seq = ?",
    nextDelivery,
    message.seq,
  );
  return undefined;
}

function bury(database: Database, seq: number, dlqSeq: number, outcome: Outcome, now: number): void {
  database.run(
    `UPDATE message SET state = 'failed', ended_at = ?, dlq_seq = ?, response_status = ?, response_header = ?,
       response_body = ? WHERE seq = ?`,
    now,
    dlqSeq,
    outcome.answer?.status ?? null,
    outcome.answer ? JSON.stringify(outcome.answer.header) : null,
    outcome.answer?.body ?? Buffer.from(outcome.error ?? ""),
    seq,
  );
}
