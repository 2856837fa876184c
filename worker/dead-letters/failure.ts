/**
 * Turns a message that QStash gave up on, reported by its callback or found by the sweep, into dead letters. Pure; the ledger is
 * passed in.
 */
import { lateOutcomeId } from "../../shared/event-id.ts";
import { LEDGER_RETENTION_MS } from "../../shared/limits.ts";
import type { AuditRecord } from "../../shared/record.ts";
import { decodeMessage } from "../message/decoded-message.ts";
import type { LedgerAttempt, LedgerEntry, LedgerState } from "../ledger/types.ts";
import type { Pause } from "../monitor/pause.ts";
import type { DeadLetterEntry } from "./entry.ts";
import { unreadableEntries, type Origin } from "./unreadable.ts";

export interface FailedMessage {
  readonly body: Uint8Array;
  /** Deliveries that QStash attempted. */
  readonly attempts: number;
  /** Status of the last delivery as QStash saw it: the worker's own, not WorkOS's. 0 or absent: no answer. */
  readonly status?: number | undefined;
  /** Who had paused delivery at the last attempt; absent unless the pause rejected it. */
  readonly pausedBy?: Pause["by"] | undefined;
  readonly createdAtMs?: number | undefined;
  readonly messageId?: string | undefined;
  readonly dlqId?: string | undefined;
  readonly source: "failure_callback" | "sweep";
}

export type Lookup = (ids: readonly string[]) => Promise<ReadonlyMap<string, LedgerEntry>>;

const ENDED: ReadonlySet<LedgerState> = new Set(["delivered", "discarded"]);

/** One dead letter for each record that was neither delivered nor discarded. */
export async function deadLettersOf(message: FailedMessage, lookup: Lookup, nowMs: number): Promise<DeadLetterEntry[]> {
  const decoded = decodeMessage(message.body);
  const { source, messageId, dlqId, attempts } = message;
  const origin: Origin = { source, attempts, ...(messageId ? { messageId } : {}), ...(dlqId ? { dlqId } : {}) };
  const unreadable = await unreadableEntries(message.body, decoded, origin);
  if (decoded.kind !== "message" || decoded.records.length === 0) return unreadable;
  const known = await lookup(decoded.records.flatMap(({ id }) => [id, lateOutcomeId(id)]));
  const readable = decoded.records.flatMap((record) => {
    const eventId = isLate(record, known.get(record.id)) ? lateOutcomeId(record.id) : record.id;
    const ledger = known.get(eventId);
    if (ENDED.has(ledger?.state ?? "pending")) return [];
    return readableEntry(eventId, record, ledger, message, origin, nowMs);
  });
  return [...readable, ...unreadable];
}

/** An outcome that arrives after its intent or watchdog record was delivered becomes an event of its own. */
function isLate({ stage }: AuditRecord, ledger: LedgerEntry | undefined): boolean {
  return ledger?.state === "delivered" && ledger.stage !== "outcome" && stage === "outcome";
}

function readableEntry(
  eventId: string,
  record: AuditRecord,
  ledger: LedgerEntry | undefined,
  message: FailedMessage,
  origin: Origin,
  nowMs: number,
): DeadLetterEntry {
  const described = ledger ? knownFailure(ledger, message) : unknownFailure(message, nowMs);
  return { ...origin, ...described, eventId, record };
}

type Described = Omit<DeadLetterEntry, "eventId" | "record" | "source" | "messageId" | "dlqId">;

function knownFailure(ledger: LedgerEntry, { attempts, pausedBy }: FailedMessage): Described {
  const last = ledger.attempts.at(-1);
  const credential = pausedBy === "credential" || last?.outcome === "pause";
  return {
    class: ledger.state === "rejected" ? "rejected" : credential ? "credential" : "exhausted",
    wrote: ledger.wrote === "no" ? "no" : "maybe",
    reason: ledger.reason ?? pausedReason(pausedBy, last) ?? last?.reason ?? "not_attempted",
    attempts: ledger.attempts.length || attempts,
    ...(last?.status === undefined ? {} : { status: last.status }),
    ...(ledger.firstAttemptAtMs === undefined ? {} : { firstAttemptAtMs: ledger.firstAttemptAtMs }),
    ...(last === undefined ? {} : { lastAttemptAtMs: last.atMs }),
  };
}

/** An attempt that used the wrong API key explains more than the pause that followed. */
function pausedReason(by: FailedMessage["pausedBy"], last?: LedgerAttempt): string | undefined {
  if (by === undefined || last?.outcome === "pause") return undefined;
  return last?.reason === undefined ? `paused_by_${by}` : `paused_by_${by} after ${last.reason}`;
}

/** The ledger does not know it: no delivery reached WorkOS, unless the ledger has forgotten it since. */
function unknownFailure(message: FailedMessage, nowMs: number): Described {
  const forgotten = message.createdAtMs !== undefined && nowMs - message.createdAtMs >= LEDGER_RETENTION_MS;
  return {
    class: message.pausedBy === "credential" ? "credential" : "exhausted",
    wrote: forgotten ? "maybe" : "no",
    reason:
      pausedReason(message.pausedBy) ??
      (message.status ? `not_attempted worker answered ${message.status}` : "not_attempted worker did not answer"),
    attempts: message.attempts,
  };
}
