/** Validates bodies by the published OpenAPI 3.1 description. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { Ajv2020, type ErrorObject, type ValidateFunction } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { parse } from "yaml";
import { builtFile, IS_PACKAGE } from "../run/installation.ts";

const DOCUMENT_ID = "workos";

let shared: Ajv2020 | undefined;

/** Compiled once per process. */
function judge(): Ajv2020 {
  if (shared) return shared;
  const file = IS_PACKAGE
    ? builtFile("workos.yaml")
    : createRequire(import.meta.url).resolve("@workos/openapi-spec/spec");
  shared = newAjv();
  shared.addSchema(parse(auditLogParts(readFileSync(file, "utf8"))) as object, DOCUMENT_ID);
  return shared;
}

const PARTS = /^(\/audit_logs\/.*|\/organizations\/\{id\}.*|AuditLog.*|Organization)$/;

/**
 * The paths and schemas for audit logs, as YAML. Parsing all 1.1 MB takes a third of a second in each process that starts a
 * stand-in. A reference to a part that is left out fails when its user is compiled.
 */
function auditLogParts(yaml: string): string {
  const blocks = (heading: string, indent: number): string[] =>
    yaml
      .slice(yaml.indexOf(heading) + heading.length)
      .split(new RegExp(`^(?= {${indent}}\\S)`, "m"))
      .filter((block) => PARTS.test(block.slice(0, block.indexOf(":")).trim()));
  return ["paths:\n", ...blocks("\npaths:\n", 2), "components:\n  schemas:\n", ...blocks("\n  schemas:\n", 4)].join("");
}

/** An ajv for JSON Schema 2020-12, which OpenAPI 3.1 requires; `verbose` errors carry the refused data. */
export function newAjv(verbose = false): Ajv2020 {
  const ajv = new Ajv2020({ strict: false, allErrors: true, verbose });
  addFormats.default(ajv);
  return ajv;
}

/** Validates a body by `components.schemas[name]` of the description. */
export function schemaNamed(name: string): ValidateFunction {
  return compile(["components", "schemas", name]);
}

/** Validates the JSON body of one documented response; throws if it is not documented. */
export function responseSchema(path: string, method: string, status: number): ValidateFunction {
  return compile(["paths", path, method, "responses", String(status), "content", "application/json", "schema"]);
}

function compile(pointer: readonly string[]): ValidateFunction {
  const fragment = pointer
    .map((part) => encodeURIComponent(part.replaceAll("~", "~0").replaceAll("/", "~1")))
    .join("/");
  const found = judge().getSchema(`${DOCUMENT_ID}#/${fragment}`);
  if (!found) throw new TypeError(`the published description has no "${pointer.join(" ")}"`);
  return found;
}

/** Each refused place, once. */
export function instancePaths(errors: readonly ErrorObject[] | null | undefined): string[] {
  return [...new Set((errors ?? []).map((error) => error.instancePath))];
}

/** Each missing property as a dotted path, such as `event.action`. */
export function missingFields(errors: readonly ErrorObject[] | null | undefined): string[] {
  return (errors ?? [])
    .filter((error) => error.keyword === "required")
    .map((error) => [...error.instancePath.split("/").slice(1), String(error.params["missingProperty"])].join("."));
}
