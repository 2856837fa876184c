/** Checks that the gateway finds the policy that each entry names. Pure. */
import type { Finding } from "./finding.ts";
import type { ModuleState } from "./module.ts";
import { buildsOnOurs, entriesOf, type PolicyEntry } from "./policies.ts";
import { MODULE_PATH, POLICY_NAME, type ZuploProject } from "./project.ts";

/** The faults of the module, and of the module and export of each entry that should run it. */
export function moduleFindings(project: ZuploProject, state: ModuleState): readonly Finding[] {
  const { policies, modules } = project;
  const ours = entriesOf(policies).filter(
    ({ name, module }) => name === POLICY_NAME || (module !== undefined && buildsOnOurs(module, modules)),
  );
  return [
    ...STATES[state].map((message) => ({ level: "drift", subject: MODULE_PATH, message }) as const),
    ...ours.flatMap((entry) => entryFaults(entry, modules).map((message) => fault(policies.path, entry, message))),
  ];
}

const STATES: Readonly<Record<ModuleState, readonly string[]>> = {
  current: [],
  absent: ["is missing"],
  older: ["differs from this version's"],
  edited: ['was edited since "init" wrote it; move your code to another module'],
  foreign: ['was not made by "init", so routes with "audit-log" fail or are not audited; move it to another name'],
};

function fault(path: string, { name }: PolicyEntry, message: string): Finding {
  return { level: "wrong", subject: `${path}: "${name}"`, message };
}

function entryFaults({ module, export: name }: PolicyEntry, modules: ReadonlyMap<string, string>): readonly string[] {
  if (module === undefined) return [];
  if (module === MODULE_PATH) {
    if (name === "auditLog" || name === "default") return [];
    return [`has the export ${JSON.stringify(name)}; "${MODULE_PATH}" exports the policy as "auditLog"`];
  }
  const text = modules.get(module);
  if (text === undefined) return [`names the module "${module}", which is not there`];
  if (!buildsOnOurs(module, modules)) return [`names the module "${module}", which does not import "./audit-log"`];
  return name !== undefined && hasExport(text, name)
    ? []
    : [`has the export ${JSON.stringify(name)}, which "${module}" lacks`];
}

/** Reads `export const x`, `export { y as x }`, `export const { x } =`, `export default` and `export * from "./audit-log"`. */
function hasExport(text: string, name: string): boolean {
  const word = name.replaceAll(/[^\w$]/g, "").replaceAll("$", String.raw`\$`);
  const forms = [
    String.raw`export\s+(?:async\s+)?(?:const|let|var|function\*?|class)\s+${word}(?![\w$])`,
    String.raw`export\s+(?:const|let|var)\s*\{[^}]*(?<![\w$])${word}(?![\w$])`,
    String.raw`export\s*\{[^}]*(?<![\w$])${word}\s*[,}]`,
  ];
  if (name === "default") forms.push(String.raw`export\s+default\b`);
  if (name === "auditLog") forms.push(String.raw`export\s*\*\s*from\s*["'][./]+audit-log`);
  return forms.some((form) => new RegExp(form).test(text));
}
