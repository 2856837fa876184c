/** `POST /audit_logs/events`: idempotency, then each rule in turn, then the commit. */
import type { ValidateFunction } from "ajv";
import type { EventBody } from "../../shared/event.ts";
import { targetCapErrors } from "./action-schema.ts";
import {
  ANSWERS,
  invalidEvent,
  invalidLog,
  json,
  organizationNotFound,
  validationFailed,
  type Answer,
} from "./answers.ts";
import { bodyHash, type KeptAnswer } from "./idempotency.ts";
import { instancePaths, missingFields, schemaNamed } from "../../cli/workos/spec.ts";
import type { Call, Effect, World } from "./world.ts";

let judgeBody: ValidateFunction | undefined;

/** Accepts one event; commits it at most once per idempotency key and 24 h. Runs in one turn of the event loop. */
export function createEvent(world: World, call: Call): Effect {
  const kept = call.idempotencyKey === undefined ? undefined : world.answers.find(call.idempotencyKey);
  if (kept) return replayed(world, call, kept);
  const refusal = refuse(world, call.json);
  if (refusal === "drop") return { answer: success(world), outcome: "dropped" };
  if (refusal) {
    keep(world, call, refusal);
    return { answer: refusal, outcome: "refused" };
  }
  return { answer: commit(world, call), outcome: "committed" };
}

function replayed(world: World, call: Call, kept: KeptAnswer): Effect {
  const sameBody = kept.body_hash === bodyHash(call.body);
  const conflict = !sameBody && world.knobs.keyReuse === "conflict";
  return { answer: conflict ? ANSWERS.conflict : kept.answer, outcome: conflict ? "refused" : "replayed", sameBody };
}

function commit(world: World, call: Call): Answer {
  const answer = success(world);
  const { organization_id, event } = call.json as EventBody;
  const stored = { organization_id, event, idempotency_key: call.idempotencyKey, received_at_ms: world.clock.now() };
  const kept =
    call.idempotencyKey === undefined ? undefined : world.answers.entry(call.idempotencyKey, call.body, answer);
  world.journal.write({ kind: "event", event: stored, kept });
  world.events.push(stored);
  if (kept) world.answers.restore(kept);
  return answer;
}

function success(world: World): Answer {
  return json(world.knobs.successStatus, { success: true });
}

/**
 * Stores a failure under its key if the option says so: a definite 400, 404 or 422, and with "all" a 5xx. Answers from before the
 * idempotency check (401, 403, 413, 429) are never stored, and a stored answer is never replaced.
 */
export function keep(world: World, call: Call, answer: Answer): void {
  const definite = answer.status === 400 || answer.status === 404 || answer.status === 422;
  const { keepAnswers } = world.knobs;
  const wanted = keepAnswers === "all" ? definite || answer.status >= 500 : definite && keepAnswers === "4xx";
  if (!wanted || call.idempotencyKey === undefined || world.answers.find(call.idempotencyKey)) return;
  const kept = world.answers.entry(call.idempotencyKey, call.body, answer);
  world.journal.write({ kind: "answer", kept });
  world.answers.restore(kept);
}

/** Returns the first rule that a body breaks, or undefined. */
function refuse(world: World, body: unknown): Answer | "drop" | undefined {
  judgeBody ??= schemaNamed("AuditLogEventIngestionDto");
  if (!judgeBody(body)) {
    // The description has both answers without saying when each applies; its examples are a missing field for 422 and a wrong value
    // for 400.
    const missing = missingFields(judgeBody.errors);
    if (missing.length > 0) return validationFailed(missing.map((field) => ({ code: "required", field })));
    // Its paths start at the event: "/targets", not "/event/targets".
    return invalidEvent(instancePaths(judgeBody.errors).map((path) => path.replace(/^\/event(?=\/|$)/, "")));
  }
  const { organization_id, event } = body as EventBody;
  if (!world.organizations.has(organization_id)) return organizationNotFound(organization_id);
  const tooMany = targetCapErrors(event, world.knobs.maxTargets);
  if (tooMany.length > 0) return invalidLog(tooMany);
  return judgeAction(world, event);
}

function judgeAction(world: World, event: EventBody["event"]): Answer | "drop" | undefined {
  const { strictSchemas, unregistered, closedMetadata } = world.knobs;
  const verdict = world.registry.judge(event, closedMetadata);
  if (verdict === "accepted") return undefined;
  if (verdict === "unknown_action") {
    // The body of this refusal is not published.
    if (!strictSchemas && world.registry.isEmpty) return undefined;
    return unregistered === "drop" ? "drop" : json(400, { message: `Audit Log action not found: '${event.action}'.` });
  }
  // Nor is the refusal of an unknown version.
  return verdict === "unknown_version" ? invalidEvent(["/version"]) : invalidLog(verdict);
}
