/** Judges whether WorkOS would accept an event, by its published description and the action's registered schema. */
import type { ErrorObject } from "ajv";
import * as z from "zod";
import type { PreviewedEvent } from "../policy/preview.ts";
import { EVENT_MAX_TARGETS } from "../../shared/limits.ts";
import { actionFault } from "../schemas/action.ts";
import { RegisteredSchema } from "../schemas/schema.ts";
import { compileSchema } from "../workos/event-schema.ts";
import { schemaNamed } from "../workos/spec.ts";

/** The registered schemas of an action by version; undefined if the action is not registered. */
export type SchemasOf = (action: string) => Promise<ReadonlyMap<number, unknown> | undefined>;

/** Lists why WorkOS would refuse or drop an event; empty if it would accept it. */
export async function faultsOf(event: PreviewedEvent, schemasOf: SchemasOf | undefined): Promise<readonly string[]> {
  const published = publishedFaults(event);
  return [
    ...(event.organization_id === null ? ["no organization: name one in x-audit, or set AUDIT_ORGANIZATION_ID"] : []),
    ...published,
    ...(schemasOf && published.length === 0 ? await registeredFaults(event, schemasOf) : []),
  ];
}

function publishedFaults({ organization_id, event }: PreviewedEvent): readonly string[] {
  const judge = schemaNamed("AuditLogEventIngestionDto");
  const fault = actionFault(event.action);
  const isValid = judge({ organization_id: organization_id ?? "org_unknown", event });
  const targets = event.targets.length;
  return [
    ...(fault === undefined ? [] : [fault]),
    ...(isValid ? [] : (judge.errors ?? []).map(errorText)),
    ...(targets > EVENT_MAX_TARGETS ? [`${targets} targets; WorkOS accepts ${EVENT_MAX_TARGETS}`] : []),
  ];
}

async function registeredFaults({ event }: PreviewedEvent, schemasOf: SchemasOf): Promise<readonly string[]> {
  const versions = await schemasOf(event.action);
  if (versions === undefined) return [`the action "${event.action}" is not registered in WorkOS`];
  const version = event.version ?? 1;
  const schema = RegisteredSchema.safeParse(versions.get(version));
  if (!schema.success) return [`the action "${event.action}" has no version ${version} in WorkOS`];
  const judge = compileSchema(schema.data, false);
  if (judge(event)) return [];
  // Each target of another type than the missing one has an error of its own.
  return (judge.errors ?? []).filter(({ schemaPath }) => !schemaPath.includes("/contains/")).map(errorText);
}

function errorText({ instancePath, message = "is wrong", keyword, parentSchema }: ErrorObject): string {
  const lacking = Contains.safeParse(keyword === "contains" ? parentSchema : undefined).data;
  if (lacking) return `no target of the type "${lacking.contains.properties.type.const}"`;
  return `${instancePath === "" ? "the event" : `"${instancePath.slice(1).replaceAll("/", ".")}"`} ${message}`;
}

const Contains = z.looseObject({
  contains: z.looseObject({ properties: z.looseObject({ type: z.looseObject({ const: z.string() }) }) }),
});
