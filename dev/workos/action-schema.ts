/** One version of an action's schema: what may be registered, and how events are validated. */
import type { ErrorObject, ValidateFunction } from "ajv";
import type { MetadataSchema, SchemaDto } from "../../cli/workos/event-schema.ts";
import { instancePaths, missingFields, newAjv, schemaNamed } from "../../cli/workos/spec.ts";

interface SchemaIssue {
  readonly code: string;
  readonly field: string;
}

/** Metadata values are strings, numbers or booleans (published description), so nothing else can be declared. */
const VALUE_TYPES = new Set<unknown>(["string", "number", "integer", "boolean"]);
/** docs/audit-logs/metadata-schema: 50 keys of 40 characters; the alphabet is that of the description's event metadata. */
const MAX_KEYS = 50;
const KEY = /^[a-zA-Z0-9_-]{1,40}$/;

const ajv = newAjv(true);

/** Returns why WorkOS would refuse to register `body`; empty if it is a SchemaDto. */
export function schemaIssues(body: unknown): SchemaIssue[] {
  const validate = schemaNamed("AuditLogSchemaDto");
  if (!validate(body)) {
    const missing = missingFields(validate.errors);
    if (missing.length > 0) return missing.map((field) => ({ code: "required", field }));
    return instancePaths(validate.errors).map((path) => ({
      code: "invalid",
      field: path.slice(1).replaceAll("/", "."),
    }));
  }
  const dto = body as SchemaDto;
  // minItems 1 is in the description at git HEAD (7fd8359), but not yet in npm 0.1.0.
  if (dto.targets.length === 0) return [{ code: "min_items", field: "targets" }];
  return [
    ...metadataIssues("actor.metadata", dto.actor?.metadata),
    ...dto.targets.flatMap((target, i) => metadataIssues(`targets.${i}.metadata`, target.metadata)),
    ...metadataIssues("metadata", dto.metadata),
  ];
}

function metadataIssues(field: string, schema: MetadataSchema | undefined): SchemaIssue[] {
  if (!schema) return [];
  if (!ajv.validateSchema(schema)) return [{ code: "invalid_json_schema", field }];
  const properties = Object.entries((schema["properties"] ?? {}) as Record<string, { type?: unknown } | boolean>);
  const issues = properties.length > MAX_KEYS ? [{ code: "max_properties", field }] : [];
  for (const [key, property] of properties) {
    if (!KEY.test(key)) issues.push({ code: "invalid_key", field: `${field}.${key}` });
    const types = typeof property === "boolean" ? [] : [property.type ?? []].flat();
    if (!types.every((type) => VALUE_TYPES.has(type))) {
      issues.push({ code: "invalid_type", field: `${field}.${key}` });
    }
  }
  return issues;
}

const capJudges = new Map<number, ValidateFunction>();

/** The limit on targets for every action, as an ajv error of the same shape. */
export function targetCapErrors(event: unknown, maxTargets: number): ErrorObject[] {
  const judge =
    capJudges.get(maxTargets) ?? ajv.compile({ properties: { targets: { type: "array", maxItems: maxTargets } } });
  capJudges.set(maxTargets, judge);
  return judge(event) ? [] : (judge.errors ?? []);
}
