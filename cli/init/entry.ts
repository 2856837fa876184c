/** The audit policy's entry in `config/policies.json`, with the defaults written out so that they are visible. */
import type { Node } from "jsonc-parser";
import { findNodeAtLocation, getNodeValue } from "jsonc-parser";
import { AuditError } from "../../shared/errors.ts";
import { appendItem, appendProperty, insertAll, parseJson } from "./json-edit.ts";
import { isOurModule } from "./module.ts";
import { POLICY_NAME, type ProjectFile } from "./project.ts";

/** What `init` writes. Defaults: design.md, "Fixed interfaces". */
const POLICY_ENTRY = {
  name: POLICY_NAME,
  policyType: "custom-code-inbound",
  handler: {
    export: "auditLog",
    module: `$import(./modules/${POLICY_NAME})`,
    options: {
      assurance: "best-effort",
      budgetMs: 500,
      watchdogMs: 20_000,
      coalesceMs: 50,
      maxRecords: 20,
      qstashUrl: "$env(QSTASH_URL)",
      qstashToken: "$env(QSTASH_TOKEN)",
      workerUrl: "$env(AUDIT_WORKER_URL)",
      ingestKey: "$env(AUDIT_INGEST_KEY)",
      organizationId: "$env(AUDIT_ORGANIZATION_ID)",
    },
  },
} as const;

interface PolicyEntry {
  /** The options of our entry, if it exists. */
  readonly options?: Readonly<Record<string, unknown>>;
  /** The text including our entry; unchanged if it was already there. */
  readonly text: string;
}

/**
 * Finds our entry, or adds it at the end. Throws `invalid_option` if the file has another shape, and `conflict` if another kind of
 * policy has our name. If our module exists, the entry may name a user's module that builds on it.
 */
export function placeEntry({ path, text }: ProjectFile, module: ProjectFile): PolicyEntry {
  if (text === undefined) return { text: `${JSON.stringify({ policies: [POLICY_ENTRY] }, null, 2)}\n` };
  const tree = parseJson(text, path);
  if (tree.type !== "object") throw new AuditError("invalid_option", `"${path}" must hold an object`);
  const policies = findNodeAtLocation(tree, ["policies"]);
  if (!policies) return { text: insertAll(text, appendProperty(text, tree, "policies", [POLICY_ENTRY])) };
  if (policies.type !== "array") throw new AuditError("invalid_option", `"policies" in "${path}" must be an array`);
  const named = (policies.children ?? []).filter((item) => valueAt(item, "name") === POLICY_NAME);
  if (named.length > 1)
    throw new AuditError("conflict", `"${path}" has ${named.length} policies named "${POLICY_NAME}"`);
  const [entry] = named;
  if (!entry) return { text: insertAll(text, appendItem(text, policies, POLICY_ENTRY)) };
  refuseForeign(path, entry, isOurModule(module));
  const options = valueAt(entry, "handler", "options");
  return { text, options: isRecord(options) ? options : {} };
}

function refuseForeign(path: string, entry: Node, hasOurModule: boolean): void {
  const type = valueAt(entry, "policyType");
  const module = valueAt(entry, "handler", "module");
  if (type === POLICY_ENTRY.policyType && (hasOurModule || module === POLICY_ENTRY.handler.module)) return;
  throw new AuditError(
    "conflict",
    `"${path}" has another policy named "${POLICY_NAME}" (type ${JSON.stringify(type)}, module ${JSON.stringify(module)}); rename it first`,
  );
}

function valueAt(node: Node, ...path: string[]): unknown {
  const found = findNodeAtLocation(node, path);
  return found && (getNodeValue(found) as unknown);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
