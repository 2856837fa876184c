/**
 * Plans of dry runs, stored so that an operator confirms exactly what was shown: the dead letters in parts, each with the reason
 * why it would be skipped and a fingerprint of its changes.
 */
import type { Sql } from "../storage/sql.ts";
import type { SkipReason } from "./decision.ts";
import type { FieldChange } from "./mended-record.ts";
import type { ReplayRequest } from "./request.ts";

/** How long a plan can be confirmed. Our choice: long enough to read it, too short for it to be forgotten. */
export const PLAN_VALID_MS = 15 * 60_000;
/** How long an expired plan is remembered, so that a refusal can say what happened to it. Our choice. */
const PLAN_KEPT_MS = 86_400_000;

/** What a plan says about one dead letter. */
export type PlannedLetter = readonly [eventId: string, skip: SkipReason | null, changes: number];

/** Why a plan cannot be confirmed. */
export type PlanRefusal = "unknown" | "used" | "expired";

interface StoredPlan {
  readonly request: string;
  readonly made_by: string | null;
  readonly expires_at: number;
  readonly used_at: number | null;
}

/** Stores one part of a plan; parts are numbered from 0. */
export function storePlanPart(sql: Sql, planId: string, part: number, letters: readonly PlannedLetter[]): void {
  sql.all("INSERT INTO plan_parts (plan, part, letters) VALUES (?, ?, ?)", planId, part, JSON.stringify(letters));
}

/** Stores the request of the plan, which makes its parts usable. */
export function storePlan(sql: Sql, planId: string, request: ReplayRequest, by: string, nowMs: number): void {
  const stored = JSON.stringify({ ...request, selection: { kind: "plan", planId } });
  const query = "INSERT INTO plans (id, request, made_by, expires_at) VALUES (?, ?, ?, ?)";
  sql.all(query, planId, stored, by, nowMs + PLAN_VALID_MS);
}

/** Returns one part of a plan, or undefined after the last. */
export function readPlanPart(sql: Sql, planId: string, part: number): PlannedLetter[] | undefined {
  const query = "SELECT letters FROM plan_parts WHERE plan = ? AND part = ?";
  const [row] = sql.all<{ letters: string }>(query, planId, part);
  return row && (JSON.parse(row.letters) as PlannedLetter[]);
}

/** Marks a plan as used and returns its request, with the plan as the selection; a plan can be used once. */
export function usePlan(sql: Sql, planId: string, nowMs: number): ReplayRequest | PlanRefusal {
  const query = "SELECT request, made_by, expires_at, used_at FROM plans WHERE id = ?";
  const [plan] = sql.all<StoredPlan>(query, planId);
  if (!plan) return "unknown";
  if (plan.used_at !== null) return "used";
  if (nowMs >= plan.expires_at) return "expired";
  sql.all("UPDATE plans SET used_at = ? WHERE id = ?", nowMs, planId);
  const request = { ...(JSON.parse(plan.request) as ReplayRequest), dryRun: false };
  return plan.made_by === null ? request : { ...request, plannedBy: plan.made_by };
}

/** Removes old plans with their parts. Call it only while no plan is being made: parts come before their plan. */
export function prunePlans(sql: Sql, nowMs: number): void {
  sql.all("DELETE FROM plans WHERE expires_at < ?", nowMs - PLAN_KEPT_MS);
  sql.all("DELETE FROM plan_parts WHERE plan NOT IN (SELECT id FROM plans)");
}

/** Fingerprints a record's changes: different changes nearly always give different numbers. FNV-1a, 32 bits. */
export function fingerprintOf(changes: readonly FieldChange[]): number {
  if (changes.length === 0) return 0;
  let hash = 0x811c9dc5;
  for (const char of JSON.stringify(changes)) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0;
  return hash;
}
