/**
 * The audit forwarder's own actions: what an operator did, and the event that `doctor` sends to test the path. Each has a target type
 * and metadata in addition to `EVENT_METADATA`, as registered in WorkOS.
 */
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
  "audit_forwarder.replay_resumed": { target: "replay", metadata: {} },
  "audit_forwarder.replay_cancelled": { target: "replay", metadata: {} },
  "audit_forwarder.dead_letter_discarded": { target: "dead_letter", metadata: { reason: "string" } },
  "audit_forwarder.dead_letters_imported": { target: "archive", metadata: { imported: "number" } },
  "audit_forwarder.delivery_paused": { target: "delivery", metadata: { reason: "string" } },
  "audit_forwarder.delivery_resumed": { target: "delivery", metadata: {} },
  "audit_forwarder.checked": { target: "worker", metadata: {} },
} as const satisfies Readonly<Record<string, OperatorActionSchema>>;

export type OperatorActionName = keyof typeof OPERATOR_ACTIONS;

/** The event that `doctor` sends. */
export const CHECK_ACTION = "audit_forwarder.checked" satisfies OperatorActionName;
/** The isolate id of its record. No count includes records of this isolate. */
export const CHECK_ISOLATE_ID = "doctor";
