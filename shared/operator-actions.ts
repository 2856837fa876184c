/**
 * The audit forwarder's own actions: what an operator did, and the event that `doctor` sends to test the path. Each has a target type
 * and metadata in addition to `EVENT_METADATA`, as registered in WorkOS.
 */
import type { AuditRecord } from "./record.ts";

export interface OperatorActionSchema {
  readonly target: string;
  readonly metadata: Readonly<Record<string, "string" | "number" | "boolean">>;
}

export const OPERATOR_ACTIONS = {
  "audit_forwarder.replay_started": {
    target: "replay",
    metadata: {
      send: "number",
      skip: "number",
      duplicates_possible: "number",
      accept_duplicates: "boolean",
      mend: "boolean",
    },
  },
  "audit_forwarder.replay_paused": { target: "replay", metadata: {} },
  "audit_forwarder.replay_resumed": { target: "replay", metadata: {} },
  "audit_forwarder.replay_cancelled": { target: "replay", metadata: {} },
  "audit_forwarder.dead_letter_discarded": { target: "dead_letter", metadata: { reason: "string" } },
  "audit_forwarder.dead_letters_discarded": {
    target: "archive",
    metadata: { reason: "string", discarded: "number" },
  },
  "audit_forwarder.dead_letters_revealed": { target: "dead_letter", metadata: {} },
  "audit_forwarder.dead_letters_exported": {
    target: "archive",
    metadata: { exported: "number", revealed: "boolean" },
  },
  "audit_forwarder.dead_letters_imported": { target: "archive", metadata: { imported: "number" } },
  "audit_forwarder.delivery_paused": { target: "delivery", metadata: { reason: "string" } },
  "audit_forwarder.delivery_resumed": { target: "delivery", metadata: {} },
  "audit_forwarder.checked": { target: "worker", metadata: {} },
  "audit_forwarder.checkpoint": {
    target: "evidence_log",
    metadata: { checkpoint_size: "number", checkpoint_root: "string", checkpoint_signature: "string" },
  },
} as const satisfies Readonly<Record<string, OperatorActionSchema>>;

/** The isolate id of the records about operators: the worker makes them itself. */
export const WORKER_ISOLATE_ID = "worker";

/** Returns true for a record that the worker itself has made about an operator. */
export function isOperatorRecord({ action, gateway }: Pick<AuditRecord, "action" | "gateway">): boolean {
  return gateway.isolateId === WORKER_ISOLATE_ID && Object.hasOwn(OPERATOR_ACTIONS, action);
}

export type OperatorActionName = keyof typeof OPERATOR_ACTIONS;

/** The event that `doctor` sends. */
export const CHECK_ACTION = "audit_forwarder.checked" satisfies OperatorActionName;
/** The isolate id of its record. No count includes records of this isolate. */
export const CHECK_ISOLATE_ID = "doctor";
