/** A finished run, sorted by event id. */
import type { EventBody } from "../../../shared/event.ts";
import type { LedgerFact, Seen } from "../history.ts";
import type { ReceivedRequest, StoredEvent } from "../models/workos.ts";
import type { DeadLetterRow, Finish, LedgerRow } from "../run.ts";

export interface Violation {
  readonly check: string;
  readonly detail: string;
}

/** One line for each thing that breaks the check. */
export type Check = (evidence: Evidence) => readonly string[];

/** All that is known of one acknowledged record. */
export interface Fate {
  readonly id: string;
  readonly seen: readonly Seen[];
  readonly requests: readonly ReceivedRequest[];
  readonly events: readonly StoredEvent[];
  readonly facts: readonly LedgerFact[];
  readonly letter: DeadLetterRow | undefined;
  readonly ledger: LedgerRow | undefined;
}

export interface Evidence {
  readonly finish: Finish;
  readonly fates: readonly Fate[];
}

export function makeEvidence(finish: Finish): Evidence {
  const { history, workos } = finish.world;
  const seen = Map.groupBy(history.seen, ({ record }) => record.id);
  const requests = Map.groupBy(workos.requests, ({ id }) => id);
  const events = Map.groupBy(workos.events, ({ id }) => id);
  const facts = Map.groupBy(history.ledger, ({ id }) => id);
  const fates = [...seen].map(([id, records]): Fate => ({
    id,
    seen: records,
    requests: requests.get(id) ?? [],
    events: events.get(id) ?? [],
    facts: facts.get(id) ?? [],
    letter: finish.deadLetters.get(id),
    ledger: finish.ledger.get(id),
  }));
  return { finish, fates };
}

export function eventIn(body: string): EventBody {
  return JSON.parse(body) as EventBody;
}

/** Made of an intent or of a watchdog's record: it does not say how the request ended. */
export function isUnknown(body: string): boolean {
  return eventIn(body).event.metadata["http_status"] === undefined;
}

export const DELIVERED = 1;
