/** The routes of an OpenAPI file, and the position of the audit policy in each. */
import type { Node } from "jsonc-parser";
import { findNodeAtLocation, getNodeValue } from "jsonc-parser";
import { AuditError } from "../../shared/errors.ts";
import { appendProperty, type Insertion, parseJson, prependItem } from "./json-edit.ts";
import type { Policies, PolicyEntry } from "./policies.ts";
import { type OpenApiFile, POLICY_NAME } from "./project.ts";

/** Which routes get the policy. */
export const ROUTE_CHOICES = ["all", "writes", "none"] as const;
export type RouteChoice = (typeof ROUTE_CHOICES)[number];

/** `first`: correct. `later`: another policy runs before ours. `absent`: the route is not audited. */
type PolicyPlace = "first" | "later" | "absent";

export interface Route {
  readonly file: string;
  /** Methods and path as the file writes them, such as `POST /todos`. */
  readonly name: string;
  readonly writes: boolean;
  readonly place: PolicyPlace;
  /** The whole operation, `x-audit` included. */
  readonly operation: Readonly<Record<string, unknown>>;
  readonly path: string;
  readonly methods: readonly string[];
  /** The entry that audits the route, directly or inside a composite policy. */
  readonly auditedBy?: PolicyEntry;
  /** Insertions that put the policy first; empty if the route is already audited. */
  readonly insertions: readonly Insertion[];
}

const WRITES = new Set(["post", "put", "patch", "delete"]);

/** Reads every operation with an `x-zuplo-route`. Throws `invalid_option` naming the place if the file has another shape. */
export function readRoutes({ path: file, text }: OpenApiFile, policies: Policies): readonly Route[] {
  const tree = parseJson(text, file);
  if (tree.type !== "object") throw shapeError(file, "the document", "object");
  const paths = property(tree, "paths");
  if (!paths) return [];
  if (paths.type !== "object") throw shapeError(file, '"paths"', "object");
  return entries(paths).flatMap(([path, item]) =>
    entries(item).flatMap(([methods, operation]) => {
      const route = operation.type === "object" ? property(operation, "x-zuplo-route") : undefined;
      return route ? [readRoute({ path: file, text }, policies, path, methods, operation, route)] : [];
    }),
  );
}

function readRoute(
  { path: file, text }: OpenApiFile,
  { auditing, expand }: Policies,
  path: string,
  key: string,
  operation: Node,
  route: Node,
): Route {
  const methods = key.split(",").map((method) => method.trim().toLowerCase());
  const name = `${methods.join(",").toUpperCase()} ${path}`;
  if (route.type !== "object") throw shapeError(file, `"x-zuplo-route" of ${name}`, "object");
  const policies = property(route, "policies");
  if (policies && policies.type !== "object") throw shapeError(file, `"policies" of ${name}`, "object");
  const inbound = policies && property(policies, "inbound");
  if (inbound && inbound.type !== "array") throw shapeError(file, `"inbound" of ${name}`, "array");
  const names = expand((inbound?.children ?? []).map((item) => String(item.value)));
  // Our own name counts even if our module does not exist yet.
  const index = names.findIndex((policy) => policy === POLICY_NAME || auditing.has(policy));
  const place = index === -1 ? "absent" : index === 0 ? "first" : "later";
  const auditedBy = auditing.get(names[index] ?? "");
  return {
    file,
    name,
    path,
    methods,
    writes: methods.some((method) => WRITES.has(method)),
    place,
    operation: getNodeValue(operation) as Record<string, unknown>,
    ...(auditedBy ? { auditedBy } : {}),
    insertions: place === "absent" ? insertions(text, route, policies, inbound) : [],
  };
}

function insertions(text: string, route: Node, policies?: Node, inbound?: Node): readonly Insertion[] {
  if (inbound) return prependItem(text, inbound, POLICY_NAME);
  if (policies) return appendProperty(text, policies, "inbound", [POLICY_NAME]);
  return appendProperty(text, route, "policies", { inbound: [POLICY_NAME] });
}

/** Returns the paths that have an `x-audit` beside their operations. */
export function pathsWithAudit({ path: file, text }: OpenApiFile): readonly string[] {
  const paths = property(parseJson(text, file), "paths");
  return paths ? entries(paths).flatMap(([path, item]) => (property(item, "x-audit") ? [path] : [])) : [];
}

/** True if a choice includes a route. */
export function chosen(choice: RouteChoice, route: Pick<Route, "writes">): boolean {
  return choice === "all" || (choice === "writes" && route.writes);
}

/** True if the operation itself declares that it is not audited. */
export function isSkipped({ operation }: Pick<Route, "operation">): boolean {
  const audit = operation["x-audit"];
  if (typeof audit !== "object" || audit === null || !("skip" in audit)) return audit === false;
  return audit.skip === true || typeof audit.skip === "string";
}

/** Written above the module if the choice is not the default, so that `--check` knows the choice everywhere. */
const RECORD = /^\/\/ routes: (writes|none)\r?$/m;

/** Returns the choice that a module's text records; `all` if it records none. */
export function recordedChoice(module: string | undefined): RouteChoice {
  return (RECORD.exec(module ?? "")?.[1] as RouteChoice | undefined) ?? "all";
}

/** Returns the built module with the choice in it; for `all`, byte for byte the built one. */
export function recordChoice(built: string, choice: RouteChoice): string {
  if (choice === "all") return built;
  const firstCode = /^(?!\/\/)/m.exec(built)?.index ?? 0;
  return `${built.slice(0, firstCode)}// routes: ${choice}\n${built.slice(firstCode)}`;
}

function property(object: Node, name: string): Node | undefined {
  return findNodeAtLocation(object, [name]);
}

function entries(object: Node): readonly (readonly [string, Node])[] {
  return (object.children ?? []).flatMap((field) => {
    const [name, value] = field.children ?? [];
    return name && value ? [[String(name.value), value] as const] : [];
  });
}

function shapeError(file: string, what: string, wanted: string): AuditError {
  return new AuditError("invalid_option", `"${file}": ${what} must be an ${wanted}`);
}
