/**
 * Events about operators that WorkOS did not accept. They never become dead letters: each operator action would add one, and the
 * incident about them would stay open until somebody discarded them, which is another action.
 */
import { isOperatorRecord } from "../../shared/operator-actions.ts";
import type { AuditRecord } from "../../shared/record.ts";
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { monitor } from "../monitor/client.ts";
import type { DeadLetterEntry } from "./entry.ts";

type OperatorEntry = DeadLetterEntry & { readonly record: AuditRecord };

/** Returns the entries that are not about operators. The others are logged, counted, and reported as one incident. Never throws. */
export async function setOperatorEventsAside(
  env: Pick<Env, "MONITOR">,
  entries: readonly DeadLetterEntry[],
): Promise<readonly DeadLetterEntry[]> {
  const own = entries.filter(isAboutOperator).filter(isNews);
  for (const entry of own) logRefused(entry);
  const [first] = own;
  if (first)
    await monitor(env)
      .operatorEventsRefused(own.length, first.reason)
      .catch(() => undefined);
  return entries.filter((entry) => !isAboutOperator(entry));
}

function isAboutOperator(entry: DeadLetterEntry): entry is OperatorEntry {
  return entry.record !== undefined && isOperatorRecord(entry.record);
}

/** QStash repeats refusals that the worker has already seen. */
function isNews({ class: name, source }: DeadLetterEntry): boolean {
  return name !== "rejected" || source === "worker";
}

/** The log line is all that is left of the event, so it names who did what. */
function logRefused({ eventId, reason, record }: OperatorEntry): void {
  log("audit.operator_event_refused", "ERROR", {
    "audit.event_id": eventId,
    "error.type": reason,
    "audit.action": record.action,
    "user.name": record.actor.id,
    "audit.occurred_at": new Date(record.occurredAtMs).toISOString(),
    "audit.targets": record.targets.map(({ type, id }) => `${type} ${id}`),
  });
}
