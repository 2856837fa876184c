/** Validates events by the schema registered for their action. */
import type { AnySchema, ValidateFunction } from "ajv";
import { newAjv } from "./spec.ts";

export type MetadataSchema = Readonly<Record<string, unknown>>;

/** The body of `POST /audit_logs/actions/{name}/schemas` (AuditLogSchemaDto). */
export interface SchemaDto {
  readonly actor?: { readonly metadata?: MetadataSchema | undefined } | undefined;
  readonly targets: readonly { readonly type: string; readonly metadata?: MetadataSchema | undefined }[];
  readonly metadata?: MetadataSchema | undefined;
}

const ajv = newAjv(true);

/** Compiles the validator of events for one schema; its errors are ajv's own, including the refused data. */
export function compileSchema(dto: SchemaDto, closed: boolean): ValidateFunction {
  return ajv.compile(eventSchema(dto, closed));
}

/** The shape that WorkOS's own errors reveal: `#/properties/targets/allOf/0/contains/properties/type/const`. */
function eventSchema(dto: SchemaDto, closed: boolean): AnySchema {
  const metadata = (schema: MetadataSchema | undefined): MetadataSchema =>
    closed && schema ? { additionalProperties: false, ...schema } : (schema ?? {});
  const contains = dto.targets.map(({ type }) => ({
    contains: { required: ["type"], properties: { type: { const: type } } },
  }));
  const perType = dto.targets.map((target) => ({
    if: { properties: { type: { const: target.type } } },
    // oxlint-disable-next-line unicorn/no-thenable -- the JSON Schema keyword
    then: { properties: { metadata: metadata(target.metadata) } },
  }));
  return {
    type: "object",
    properties: {
      actor: { properties: { metadata: metadata(dto.actor?.metadata) } },
      targets: { allOf: contains, items: { allOf: perType } },
      metadata: metadata(dto.metadata),
    },
  };
}
