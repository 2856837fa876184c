/** Changes stored events, as somebody with access to WorkOS might. Only `verify` can detect it. */
import * as z from "zod";
import type { StoredEvent } from "./types.ts";

/** Event ids to remove, events to change at a path such as `["action"]` or `["actor", "id"]`, and events to add. */
export const tamperSchema = z.strictObject({
  lose: z.array(z.string()).default([]),
  alter: z
    .array(z.strictObject({ event_id: z.string(), path: z.array(z.string()).min(1), value: z.unknown() }))
    .default([]),
  add: z.array(z.strictObject({ organization_id: z.string(), event: z.looseObject({}) })).default([]),
});

/** Changes the events in place. Returns how many it changed, removed or added. */
export function tamper(events: StoredEvent[], { lose, alter, add }: z.infer<typeof tamperSchema>): number {
  const kept = events.filter(({ event }) => !lose.includes(String(event.metadata["event_id"])));
  let changed = events.length - kept.length + add.length;
  const altered = kept.map((stored) => {
    const changes = alter.filter(({ event_id }) => event_id === stored.event.metadata["event_id"]);
    changed += changes.length;
    return changes.reduce(
      (one, { path, value }) => ({ ...one, event: withValue(one.event, path, value) as StoredEvent["event"] }),
      stored,
    );
  });
  const added = add.map((one) => ({ ...one, idempotency_key: undefined, received_at_ms: 0 }) as unknown as StoredEvent);
  events.splice(0, events.length, ...altered, ...added);
  return changed;
}

function withValue(node: unknown, [key = "", ...rest]: readonly string[], value: unknown): unknown {
  const fields = node as Readonly<Record<string, unknown>>;
  const next = rest.length === 0 ? value : withValue(fields[key], rest, value);
  return Array.isArray(node)
    ? node.map((one: unknown, at) => (String(at) === key ? next : one))
    : { ...fields, [key]: next };
}
