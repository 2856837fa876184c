import type { AuditEvent } from "../../shared/event.ts";
import type { Clock } from "./clock.ts";

/** A committed event. */
export interface StoredEvent {
  readonly organization_id: string;
  readonly event: AuditEvent;
  readonly idempotency_key: string | undefined;
  readonly received_at_ms: number;
}

export type CallOutcome = "committed" | "replayed" | "dropped" | "refused" | "answered" | "fault";

/** One request, added when it arrives. `status` stays null if no answer was sent (hang, reset, caller gone). */
export interface RequestEntry {
  readonly at_ms: number;
  readonly method: string;
  readonly path: string;
  readonly header_names: readonly string[];
  readonly idempotency_key?: string | undefined;
  readonly event_id?: string | undefined;
  readonly action?: string | undefined;
  readonly organization_id?: string | undefined;
  /** The result; undefined while the request is open. A faulted request that took effect first keeps that result. */
  outcome?: CallOutcome;
  /** For a replayed key: whether the body equals that of the first request byte for byte. */
  same_body?: boolean;
  status: number | null;
}

/**
 * The columns of exports, which are not published. `json`: a column for each field, objects as JSON. `flat`: a column for each
 * value, such as `actor.id`. `titled`: headings for people. `event`: the event as one column of JSON. `bare`: without location and
 * user agent. `lines`: JSON lines.
 */
export const EXPORT_LAYOUTS = ["json", "flat", "titled", "event", "bare", "lines"] as const;
export type ExportLayout = (typeof EXPORT_LAYOUTS)[number];

/** Behaviour that WorkOS does not document, or that differs between its own sources; can be changed while running. */
export interface Knobs {
  /** Every action must be registered, even while the registry is empty. */
  strictSchemas: boolean;
  /** The result of an unregistered action: 400, or 200 and nothing stored (dust-tt/dust#23407 saw both). */
  unregistered: "refuse" | "drop";
  /** A registered metadata schema accepts only the properties it declares. Unknown for the real server; default false. */
  closedMetadata: boolean;
  /** Which answers are repeated for a key within 24 h. Undocumented beyond "the same response"; default "4xx" (and success). */
  keepAnswers: "success" | "4xx" | "all";
  /** Same key, other body: repeat the first answer (literal reading of the docs, default) or answer 409. */
  keyReuse: "replay" | "conflict";
  /** The description says 200; every SDK's tests say 201. */
  successStatus: 200 | 201;
  /** body-parser's default of 100 kB, whose phrase the real server answers with (dust-tt/dust#26412). */
  bodyLimitBytes: number;
  /** The real server's maxItems (dust-tt/dust#27021); not in the description. */
  maxTargets: number;
  /** Requests per window and key; the docs say 6,000 in 60 s. Off by default. */
  rateLimit: { requests: number; windowMs: number; retryAfterSeconds?: number } | null;
  /** The columns of exports. */
  exportLayout: ExportLayout;
}

export interface WorkosOptions extends Partial<Knobs> {
  port?: number | undefined;
  /** The accepted key; default "sk_test_workos". */
  apiKey?: string | undefined;
  clock?: Clock | undefined;
  /** The organizations that exist; undefined accepts any. */
  organizations?: readonly string[] | undefined;
  /** SQLite file in which events, stored answers and schemas survive a restart; default none. */
  path?: string | undefined;
}

export const DEFAULT_KNOBS: Knobs = {
  strictSchemas: false,
  unregistered: "refuse",
  closedMetadata: false,
  keepAnswers: "4xx",
  keyReuse: "replay",
  successStatus: 200,
  bodyLimitBytes: 102_400,
  maxTargets: 20,
  rateLimit: null,
  exportLayout: "json",
};
