/** What a user's own TypeScript sees of the policy. This file is copied into the built module as it is, so it imports nothing. */

/** A value of a party or of metadata. */
export type AuditValue = string | number | boolean;

/** An actor or a target, as in WorkOS; a part that is left out keeps what `x-audit` or the default says. */
export interface AuditParty {
  id?: string;
  type?: string;
  name?: string;
  metadata?: Record<string, AuditValue>;
}

/** What `describe` may say of a request; a field that is left out keeps what `x-audit` or the default says. */
export interface AuditDescription {
  action?: string;
  organization?: string;
  actor?: AuditParty;
  /** Replaces the targets; an `id` and a `type` are needed for each. */
  targets?: AuditParty[];
  /** Joins the metadata of `x-audit`. */
  metadata?: Record<string, AuditValue>;
}

/** What `describe` is given. Bodies are not among it: select them with `$body.*` and `$response.body.*`. */
export interface AuditSubject {
  readonly eventId: string;
  readonly operationId?: string;
  readonly method: string;
  readonly url: string;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: Headers;
  readonly user?: { readonly sub?: unknown; readonly data?: unknown };
  /** Undefined where the outcome is not known: an intent, or a watchdog's record. */
  readonly response?: { readonly status: number; readonly headers: Headers };
  /** `context.custom`: what handlers and other policies left there. */
  readonly custom: Readonly<Record<string, unknown>>;
}

export interface AuditLogCode {
  /**
   * Describes a request in code, where selectors are not enough. It runs after the response (before the handler for
   * `required`), and what it throws is marked in the record as `missing`: it never reaches the caller.
   */
  describe?: (subject: AuditSubject) => AuditDescription | undefined | Promise<AuditDescription | undefined>;
}
