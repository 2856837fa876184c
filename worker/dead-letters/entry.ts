/** A reported failure: a record that is no longer retried. */
import type { DeadLetterClass, DeadLetterSource } from "../../shared/dead-letter.ts";
import type { AuditRecord } from "../../shared/record.ts";

/** One reported failure. Each event id keeps the newest, with the history of the older ones. */
export interface DeadLetterEntry {
  /** For an unreadable message without a readable id: `unreadable-<sha256 of the body, 32 hex>`. */
  readonly eventId: string;
  readonly class: DeadLetterClass;
  /** Whether WorkOS may have stored the event. */
  readonly wrote: "no" | "maybe";
  /** One line for people and for grouping, such as `http_400 invalid_audit_log /targets contains`; never data of the event. */
  readonly reason: string;
  readonly status?: number;
  readonly attempts: number;
  readonly firstAttemptAtMs?: number;
  readonly lastAttemptAtMs?: number;
  /** The decoded record; absent if it is unreadable. */
  readonly record?: AuditRecord;
  /** The whole message as base64, if it is unreadable. */
  readonly body?: string;
  readonly source: Exclude<DeadLetterSource, "import">;
  readonly messageId?: string;
  readonly dlqId?: string;
}
