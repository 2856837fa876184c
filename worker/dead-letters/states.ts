/**
 * The states of a dead letter, as a table. Every change of state goes through it. Pure.
 *
 * ```
 *          failed            taken            replay_delivered
 *         ┌──────┐      ┌──────────────┐     ┌───────────────▶ delivered
 *         │      ▼      │              ▼     │                     ▲
 *         └──── open ───┘          replaying─┤                     │
 *                │ ▲                 │       └─ replay_discarded ─▶ discarded
 *                │ └─ failed, released                              ▲
 *                └── delivered, discarded ──────────────────────────┘
 * ```
 */
import type { DeadLetterState } from "../../shared/dead-letter.ts";

/**
 * What happens to a dead letter. `failed`: a delivery failed for good. `taken`: a replay will send it. `released`: the replay will
 * not send it, or its end is unknown. `delivered`: the ledger knows a delivery that no replay made. `discarded`: an operator gave
 * it up. `replay_delivered` and `replay_discarded`: how a replayed record ended.
 */
export type DeadLetterEvent =
  "failed" | "taken" | "released" | "delivered" | "discarded" | "replay_delivered" | "replay_discarded";

/** The next state by event and state. A missing entry changes nothing; `delivered` and `discarded` are final. */
export const TRANSITIONS: Readonly<
  Record<DeadLetterEvent, Readonly<Partial<Record<DeadLetterState, DeadLetterState>>>>
> = {
  failed: { open: "open", replaying: "open" },
  taken: { open: "replaying" },
  released: { replaying: "open" },
  delivered: { open: "delivered" },
  discarded: { open: "discarded" },
  replay_delivered: { replaying: "delivered" },
  replay_discarded: { replaying: "discarded" },
};

/** Returns the state after an event, or undefined if it changes nothing in this state. A new dead letter is `open`. */
export function stateAfter(state: DeadLetterState, event: DeadLetterEvent): DeadLetterState | undefined {
  return TRANSITIONS[event][state];
}
