/** The WorkOS API endpoints of the stand-in, and the checks before all of them. */
import type { SchemaDto } from "../../cli/workos/event-schema.ts";
import { schemaIssues } from "./action-schema.ts";
import { ANSWERS, json, organizationNotFound, validationFailed, type Answer } from "./answers.ts";
import { createEvent } from "./events.ts";
import type { ExportDto } from "./exports.ts";
import { listAnswer } from "./lists.ts";
import { showAction, showSchema } from "./registry.ts";
import { missingFields, schemaNamed } from "../../cli/workos/spec.ts";
import type { Call, Effect, World } from "./world.ts";

export const EVENTS_PATH = "/audit_logs/events";

type Endpoint = (world: World, call: Call, parameter: string, origin: string) => Answer;

const ENDPOINTS: readonly (readonly [method: string, path: RegExp, endpoint: Endpoint])[] = [
  ["GET", /^\/audit_logs\/actions$/, listActions],
  ["GET", /^\/audit_logs\/actions\/([^/]+)\/schemas$/, listSchemas],
  ["POST", /^\/audit_logs\/actions\/([^/]+)\/schemas$/, createSchema],
  ["POST", /^\/audit_logs\/exports$/, createExport],
  ["GET", /^\/audit_logs\/exports\/([^/]+)$/, getExport],
  ["GET", /^\/organizations\/([^/]+)$/, getOrganization],
  ["GET", /^\/organizations\/([^/]+)\/audit_log_configuration$/, getConfiguration],
];

/** Processes a request. The body limit comes first because the body is parsed before the key is checked. */
export function handle(world: World, call: Call, origin: string): Effect {
  if (call.tooLarge) return refused(ANSWERS.payload_too_large);
  if (call.method === "POST" && call.json === undefined) return refused(ANSWERS.unreadable);
  const refusal = world.keys.refusal(call.headers.authorization);
  if (refusal) return refused(refusal);
  const { rateLimit } = world.knobs;
  if (world.rateLimit.exceeded(String(call.headers.authorization), rateLimit)) {
    const after = rateLimit?.retryAfterSeconds;
    const { body, headers } = ANSWERS.rate_limited;
    return refused({
      status: 429,
      body,
      headers: after === undefined ? headers : { ...headers, "retry-after": String(after) },
    });
  }
  if (call.path === EVENTS_PATH && call.method === "POST") return createEvent(world, call);
  return other(world, call, origin);
}

function refused(answer: Answer): Effect {
  return { answer, outcome: "refused" };
}

function other(world: World, call: Call, origin: string): Effect {
  for (const [method, path, endpoint] of ENDPOINTS) {
    const match = method === call.method && path.exec(call.path);
    if (!match) continue;
    const parameter = decoded(match[1] ?? "");
    if (parameter === undefined) return refused(ANSWERS.bad_request);
    const answer = endpoint(world, call, parameter, origin);
    return { answer, outcome: answer.status < 400 ? "answered" : "refused" };
  }
  return refused(json(404, { message: `Cannot ${call.method} ${call.path}`, error: "Not Found", statusCode: 404 }));
}

function decoded(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function listActions(world: World, call: Call): Answer {
  return listAnswer(world.registry.actions(), call.query, showAction);
}

function listSchemas(world: World, call: Call, name: string): Answer {
  const action = world.registry.find(name);
  if (!action) return json(404, { message: `Audit Log action not found: '${name}'.` });
  return listAnswer(action.versions, call.query, showSchema);
}

function createSchema(world: World, call: Call, name: string): Answer {
  const issues = schemaIssues(call.json);
  if (issues.length > 0) return validationFailed(issues);
  const { actor, targets, metadata } = call.json as SchemaDto;
  const dto: SchemaDto = { ...(actor && { actor }), targets, ...(metadata && { metadata }) };
  const createdAt = world.clock.iso();
  world.journal.write({ kind: "schema", action: name, schema: dto, created_at: createdAt });
  return json(201, showSchema(world.registry.register(name, dto, createdAt)));
}

function createExport(world: World, call: Call): Answer {
  const judge = schemaNamed("AuditLogExportCreationDto");
  if (!judge(call.json)) {
    const missing = missingFields(judge.errors).map((field) => `${field} must be a string`);
    return json(400, { message: missing.length > 0 ? missing : ["Invalid request body"], error: "Bad Request" });
  }
  const dto = call.json as ExportDto;
  if (!world.organizations.has(dto.organization_id)) {
    return json(400, { message: `Organization not found: '${dto.organization_id}'.` });
  }
  return world.exports.create(dto, world.events, world.knobs.exportLayout, world.clock.now());
}

function getExport(world: World, _call: Call, id: string, origin: string): Answer {
  return world.exports.fetch(id, origin, world.clock.now());
}

function getOrganization(world: World, _call: Call, id: string): Answer {
  return world.organizations.has(id) ? json(200, world.organizations.show(id)) : organizationNotFound(id);
}

function getConfiguration(world: World, _call: Call, id: string): Answer {
  return world.organizations.has(id) ? json(200, world.organizations.showConfiguration(id)) : organizationNotFound(id);
}
