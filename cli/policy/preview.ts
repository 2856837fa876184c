/** Asks the policy which records a described call would leave, and the worker for their events. */
import * as z from "zod";
import type { EventBody } from "../../shared/event.ts";
import type { ProjectFile } from "../init/project.ts";
import type { Route } from "../init/routes.ts";
import type { PreviewCall } from "../preview/call.ts";
import type { Lock } from "../schemas/lock.ts";
import { evaluate } from "./evaluation.ts";
import { meaningOf, withValues } from "./inspection.ts";

/** The event as it would be sent; without an organization, it is never sent. */
export interface PreviewedEvent {
  readonly organization_id: string | null;
  readonly event: EventBody["event"];
}

interface PreviewedCall {
  readonly events: readonly PreviewedEvent[];
  /** Selectors that found no value. */
  readonly missing: readonly string[];
  /** Why there is no event. */
  readonly skipped?: string;
}

const Made = z.object({
  records: z.array(z.record(z.string(), z.unknown())),
  missing: z.array(z.string()),
  skipped: z.union([z.string(), z.literal(true)]).optional(),
});
const Events = z.array(z.object({ organization_id: z.string().nullable(), event: z.record(z.string(), z.unknown()) }));

/** Previews one call on a route; `lock` holds the versions of the actions. Throws `unavailable`. */
export async function previewCall(
  route: Route,
  call: PreviewCall,
  options: unknown,
  env: ProjectFile,
  lock: Lock,
): Promise<PreviewedCall> {
  const described = { path: route.path, ...meaningOf(route.operation) };
  const given = { options: withValues(options, env), route: described, call };
  const made = Made.parse(await evaluate("policy/preview.ts", "code.preview(given)", given));
  const enriched =
    'given.records.map((record) => ({ ...code.enrich({ ...record, organization: record.organization || "-" }, ' +
    "{ schemaVersion: given.lock[record.action] }), organization_id: record.organization || null }))";
  const events = Events.parse(await evaluate("worker/enrichment.ts", enriched, { records: made.records, lock }));
  return {
    events: events as readonly unknown[] as readonly PreviewedEvent[],
    missing: made.missing,
    ...(made.skipped === undefined
      ? {}
      : { skipped: made.skipped === true || made.skipped === "" ? "true" : made.skipped }),
  };
}
