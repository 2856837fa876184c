/** What a user's own TypeScript sees of the policy. This file is copied into the built module. */
import type { ZuploContext, ZuploRequest } from "@zuplo/runtime";

/** An actor or a target, as in WorkOS; a part that is left out keeps what `x-audit` or the default says. */
export interface AuditParty {
  id?: string;
  type?: string;
  name?: string;
  metadata?: Record<string, string | number | boolean>;
}

/** What `describe` may say of a request; a field that is left out keeps what `x-audit` or the default says. */
export interface AuditDescription {
  action?: string;
  organization?: string;
  actor?: AuditParty;
  /** Replaces the targets; an `id` and a `type` are needed for each. */
  targets?: AuditParty[];
  /** Joins the metadata of `x-audit`. */
  metadata?: AuditParty["metadata"];
  /** Without it, `x-audit` or the status decides. */
  outcome?: "success" | "failure" | "denied";
}

/**
 * What `describe` is given. Never read the request's body: it may be read already, and for `required` the handler still needs it.
 * Select from it with `$body.*`.
 */
export interface AuditSubject {
  eventId: string;
  request: ZuploRequest;
  context: ZuploContext;
  /** Who was authenticated; the request above may be from before that. */
  user?: ZuploRequest["user"];
  /** Undefined where the outcome is not known: an intent, or a watchdog's record. */
  response?: { status: number; headers: Headers };
}

export interface AuditLogCode {
  /**
   * Describes a request in code, where selectors are not enough. It runs after the response (before the handler for
   * `required`), and what it throws is marked in the record as `missing`: it never reaches the caller.
   */
  describe?: (subject: AuditSubject) => AuditDescription | undefined | Promise<AuditDescription | undefined>;
}

/** A policy of type `custom-code-inbound`. */
export type AuditLogPolicy = (
  request: ZuploRequest,
  context: ZuploContext,
  options: unknown,
  policyName: string,
) => Promise<ZuploRequest | Response>;
