/** The policies of a project: which run our module, and what a chain of policies expands to. Pure. */
import { getNodeValue } from "jsonc-parser";
import * as z from "zod";
import { parseJson } from "./json-edit.ts";
import { isOurModule } from "./module.ts";
import { MODULE_PATH, type ProjectFile, type ZuploProject } from "./project.ts";

/** One entry of `config/policies.json`. */
export interface PolicyEntry {
  readonly name: string;
  /** The module's path in the project, such as `modules/audit-log.ts`; absent for Zuplo's own policies. */
  readonly module?: string;
  readonly export?: string;
  readonly options: Readonly<Record<string, unknown>>;
}

export interface Policies {
  /** The names of the entries that run our module. */
  readonly auditing: ReadonlyMap<string, PolicyEntry>;
  /** Replaces composite policies by their members, in order. */
  readonly expand: (names: readonly string[]) => readonly string[];
}

const Entry = z.looseObject({
  name: z.string(),
  handler: z
    .looseObject({
      export: z.string().optional().catch(undefined),
      module: z.string().optional().catch(undefined),
      options: z.record(z.string(), z.unknown()).optional().catch(undefined),
    })
    .optional()
    .catch(undefined),
});

/** Reads every named entry. Throws `invalid_option` if the file is not JSON; a file of another shape has no entries. */
export function readPolicies({
  policies,
  module,
  modules,
}: Pick<ZuploProject, "policies" | "module" | "modules">): Policies {
  const entries = entriesOf(policies);
  const byName = new Map(entries.map((entry) => [entry.name, entry]));
  const ours = isOurModule(module);
  const auditing = entries.filter((entry) => entry.module !== undefined && ours && buildsOnOurs(entry.module, modules));
  const expand = (names: readonly string[], within: ReadonlySet<string> = new Set()): readonly string[] =>
    names.flatMap((name) => {
      const held = heldBy(byName.get(name));
      if (held === undefined || within.has(name)) return [name];
      return expand(held, new Set([...within, name]));
    });
  return { auditing: new Map(auditing.map((entry) => [entry.name, entry])), expand: (names) => expand(names) };
}

/** Reads every named entry. */
export function entriesOf({ path, text }: ProjectFile): readonly PolicyEntry[] {
  if (text === undefined) return [];
  const file = z.looseObject({ policies: z.array(z.unknown()) }).safeParse(getNodeValue(parseJson(text, path)));
  return (file.data?.policies ?? []).flatMap((given) => {
    const { data } = Entry.safeParse(given);
    if (!data) return [];
    const module = /^\$import\(\.\/(modules\/[^)]+)\)$/.exec(data.handler?.module ?? "")?.[1];
    return [
      {
        name: data.name,
        ...(module === undefined ? {} : { module: /\.[cm]?[jt]sx?$/.test(module) ? module : `${module}.ts` }),
        ...(data.handler?.export === undefined ? {} : { export: data.handler.export }),
        options: data.handler?.options ?? {},
      },
    ];
  });
}

/** The names in a composite policy. https://zuplo.com/docs/policies/composite-inbound */
function heldBy(policy: PolicyEntry | undefined): readonly string[] | undefined {
  const isComposite = policy?.module === undefined && policy?.export === "CompositeInboundPolicy";
  if (!isComposite) return undefined;
  const names = policy.options["policies"];
  return Array.isArray(names) ? names.filter((name) => typeof name === "string") : [];
}

/** True for our module, and for a user's module that imports it. */
export function buildsOnOurs(path: string, modules: ReadonlyMap<string, string>): boolean {
  return path === MODULE_PATH || IMPORTS_OURS.test(modules.get(path) ?? "");
}

const IMPORTS_OURS = /\bfrom\s*["'](?:\.{1,2}\/)+(?:modules\/)?audit-log(?:\.[cm]?[jt]s)?["']/;
