import type { Database } from "./database.ts";

type EventState = "CREATED" | "ACTIVE" | "RETRY" | "ERROR" | "DELIVERED" | "FAILED" | "CANCEL_REQUESTED" | "CANCELLED";

/** What a destination answered. */
export interface Answer {
  status: number;
  /** Names in lower case. */
  header: Record<string, string[]>;
  body: Uint8Array;
}

interface NewEvent {
  messageSeq: number;
  time: number;
  state: EventState;
  nextDelivery?: number;
  error?: string;
  answer?: Answer | undefined;
}

/** Adds a log entry and returns its sequence, which only grows; inside a write. */
export function addEvent(database: Database, event: NewEvent): number {
  return database.run(
    `INSERT INTO event (message_seq, time, state, next_delivery, error, response_status, response_header, response_body)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?)`,
    event.messageSeq,
    event.time,
    event.state,
    event.nextDelivery ?? null,
    event.error ?? null,
    event.answer?.status ?? null,
    event.answer ? JSON.stringify(event.answer.header) : null,
    event.answer?.body ?? null,
  ).id;
}
