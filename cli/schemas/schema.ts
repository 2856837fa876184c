/** The schema of an action, in a form that can be compared and in the form that WorkOS accepts. Pure. */
import * as z from "zod";
import { METADATA_VALUE_MAX_CODE_POINTS } from "../../shared/limits.ts";
import type { MetadataTypes } from "../policy/evaluation.ts";

export interface ActionSchema {
  /** Metadata by target type; WorkOS requires a target of each type in every event. */
  readonly targets: Readonly<Record<string, MetadataTypes>>;
  readonly actor: MetadataTypes;
  readonly metadata: MetadataTypes;
}

interface ObjectSchema {
  readonly type: "object";
  readonly properties: Readonly<Record<string, object>>;
}

/** The body of `POST /audit_logs/actions/{name}/schemas`. https://workos.com/docs/reference/audit-logs/schema/create */
export interface SchemaBody {
  readonly targets: readonly { readonly type: string; readonly metadata: ObjectSchema }[];
  readonly actor: { readonly metadata: ObjectSchema };
  readonly metadata: ObjectSchema;
}

/** The schema for WorkOS: JSON Schema with the types and lengths of the metadata. */
export function schemaBody({ targets, actor, metadata }: ActionSchema): SchemaBody {
  return {
    targets: Object.entries(targets).map(([type, types]) => ({ type, metadata: objectSchema(types) })),
    actor: { metadata: objectSchema(actor) },
    metadata: objectSchema(metadata),
  };
}

function objectSchema(types: MetadataTypes): ObjectSchema {
  const properties = Object.entries(types).map(([key, type]) => [key, property(type)] as const);
  return { type: "object", properties: Object.fromEntries(properties) };
}

function property(type: MetadataTypes[string]): object {
  if (type === "number" || type === "boolean") return { type };
  const maxLength = METADATA_VALUE_MAX_CODE_POINTS;
  return type === "string" ? { type, maxLength } : { type: ["string", "number", "boolean"], maxLength };
}

const Properties = z.looseObject({ properties: z.record(z.string(), z.unknown()).optional() }).optional();

/** Parses a schema from WorkOS; ignores the parts that we do not use. */
export const RegisteredSchema = z.looseObject({
  version: z.int(),
  targets: z.array(z.looseObject({ type: z.string(), metadata: Properties })),
  actor: z.looseObject({ metadata: Properties }).optional(),
  metadata: Properties,
});
export type RegisteredSchema = z.infer<typeof RegisteredSchema>;

/**
 * One line for each statement of a schema, so that two schemas differ exactly where their lines do. Lengths are left out: they
 * follow from the type, and a dashboard may drop them.
 */
export function schemaLines(schema: SchemaBody | RegisteredSchema): readonly string[] {
  return [
    ...schema.targets.flatMap(({ type, metadata }) => [
      `target ${type}`,
      ...propertyLines(`target ${type} metadata`, metadata),
    ]),
    ...propertyLines("actor metadata", schema.actor?.metadata),
    ...propertyLines("metadata", schema.metadata),
  ].toSorted();
}

const Typed = z.looseObject({ type: z.union([z.string(), z.array(z.string())]) });

function propertyLines(where: string, schema: z.infer<typeof Properties> | ObjectSchema): readonly string[] {
  return Object.entries(schema?.properties ?? {}).map(([key, definition]) => {
    const { type } = Typed.catch({ type: "any" }).parse(definition);
    const types = [type].flat().map((name) => (name === "integer" ? "number" : name));
    return `${where} ${key}: ${types.toSorted().join(" | ")}`;
  });
}
