/** What a dead letter can be: the lists that the worker, the CLI and the docs share. A new class or group is one edit here. */

/**
 * Why a record is a dead letter. `rejected`: WorkOS refused it for good. `exhausted`: every attempt failed, or the last one came
 * while an operator had paused delivery. `credential`: the last one met a wrong API key, or came while that had paused delivery.
 * `unreadable`: it could not be decoded.
 */
export const DEAD_LETTER_CLASSES = ["rejected", "exhausted", "credential", "unreadable"] as const;
export type DeadLetterClass = (typeof DEAD_LETTER_CLASSES)[number];

/** `open`: waits for an operator. `replaying`: a replay has taken it. `delivered` and `discarded` are ends. */
export const DEAD_LETTER_STATES = ["open", "replaying", "delivered", "discarded"] as const;
export type DeadLetterState = (typeof DEAD_LETTER_STATES)[number];

/** How a dead letter became known: by a delivery, by QStash's failure callback, by the sweep of its queue, or by an import. */
export const DEAD_LETTER_SOURCES = ["worker", "failure_callback", "sweep", "import"] as const;
export type DeadLetterSource = (typeof DEAD_LETTER_SOURCES)[number];

/** What dead letters can be counted by. */
export const DEAD_LETTER_GROUPS = ["class", "action", "organization", "status", "reason", "route"] as const;
export type DeadLetterGroup = (typeof DEAD_LETTER_GROUPS)[number];
