/** The policy's types for a user's TypeScript. This file is copied into the built module. */
import type { ZuploContext, ZuploRequest } from "@zuplo/runtime";

/** An actor or a target, as in WorkOS; a missing part keeps the value of `x-audit` or the default. */
export interface AuditParty {
  id?: string;
  type?: string;
  name?: string;
  metadata?: Record<string, string | number | boolean>;
}

/** The result of `describe`; a missing field keeps the value of `x-audit` or the default. */
export interface AuditDescription {
  action?: string;
  organization?: string;
  actor?: AuditParty;
  /** Replaces the targets; each needs an `id` and a `type`. */
  targets?: AuditParty[];
  /** Merged into the metadata of `x-audit`. */
  metadata?: AuditParty["metadata"];
  /** Without it, `x-audit` or the status decides. */
  outcome?: "success" | "failure" | "denied";
}

/**
 * The argument of `describe`. Never read the request's body: it may already be read, and for `required` the handler still needs it.
 * Select from it with `$body.*`.
 */
export interface AuditSubject {
  eventId: string;
  request: ZuploRequest;
  context: ZuploContext;
  /** The authenticated user; the request above may be from before authentication. */
  user?: ZuploRequest["user"];
  /** Undefined if the outcome is not known: an intent, or a watchdog's record. */
  response?: { status: number; headers: Headers };
}

export interface AuditLogCode {
  /**
   * Describes a request in code, if selectors are not enough. It runs after the response (before the handler for `required`). An
   * error that it throws is marked in the record as `missing` and never reaches the caller.
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
