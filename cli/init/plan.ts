/** What `init` would change in a project, and what `--check` reports. Pure. */
import { placeEntry } from "./entry.ts";
import { addVariables } from "./env-file.ts";
import { insertAll } from "./json-edit.ts";
import { type BuiltModule, type ModuleState, moduleState } from "./module.ts";
import { readPolicies } from "./policies.ts";
import type { ProjectFile, ZuploProject } from "./project.ts";
import { chosen, readRoutes, recordChoice, recordedChoice, type Route, type RouteChoice } from "./routes.ts";

/** One file to write; `before` is absent if it is new. */
export interface FileChange {
  readonly path: string;
  readonly before?: string;
  readonly after: string;
  /** A built file or a template is named, not shown; for variables, only the added lines are shown. */
  readonly kind: "edit" | "module" | "template" | "variables";
}

export interface InitPlan {
  readonly changes: readonly FileChange[];
  readonly routes: readonly Route[];
  /** Which routes to audit: the choice made now or recorded earlier. */
  readonly choice: RouteChoice;
  /** Options of the existing entry; absent on a first run. */
  readonly options?: Readonly<Record<string, unknown>>;
  readonly module: ModuleState;
}

/**
 * Plans a run. Without `choice`, a project that already has the policy keeps its routes, so that a second `init` only upgrades the
 * module. Throws if the project cannot be read, or if another kind of policy has our name.
 */
export function planInit(project: ZuploProject, built: BuiltModule, choice: RouteChoice | undefined): InitPlan {
  const entry = placeEntry(project.policies, project.module);
  const state = moduleState(project.module, built);
  const policies = readPolicies(project);
  const perFile = project.openApi.map((file) => ({ file, routes: readRoutes(file, policies) }));
  const recorded = choice ?? recordedChoice(project.module.text);
  const added = choice ?? (entry.options ? "none" : recorded);
  const changes = [
    ...moduleChanges(project, state, recordChoice(built.text, recorded), recorded),
    change(project.policies.path, project.policies.text, entry.text),
    ...perFile.map(({ file, routes }) => change(file.path, file.text, insertAll(file.text, wanted(routes, added)))),
    change(project.env.path, project.env.text, addVariables(project.env.text), "variables"),
  ].filter(({ before, after }) => before !== after);
  return {
    changes,
    routes: perFile.flatMap(({ routes }) => routes),
    choice: recorded,
    module: state,
    ...(entry.options ? { options: entry.options } : {}),
  };
}

/** A module with the same code keeps its formatting. A user's module is kept as a copy. */
function moduleChanges({ module, modules }: ZuploProject, state: ModuleState, wanted: string, choice: RouteChoice) {
  if (state === "current" && recordedChoice(module.text) === choice) return [];
  const change: FileChange = { ...of(module), after: inEolOf(module, wanted), kind: "module" };
  if (state !== "foreign" && state !== "edited") return [change];
  const copy = [".bak", ...Array.from({ length: 99 }, (_, index) => `.bak${index + 2}`)]
    .map((ending) => module.path + ending)
    .find((path) => !modules.has(path));
  return [
    { path: copy ?? `${module.path}.bak100`, after: module.text ?? "", kind: "module" } satisfies FileChange,
    change,
  ];
}

function of({ path, text }: ProjectFile): Pick<FileChange, "path" | "before"> {
  return { path, ...(text === undefined ? {} : { before: text }) };
}

/** Uses the file's own line ends: Git writes different ones on Windows, which must not count as another version. */
function inEolOf({ text }: ZuploProject["module"], built: string): string {
  return text?.includes("\r\n") ? built.replaceAll("\n", "\r\n") : built;
}

function wanted(routes: readonly Route[], choice: RouteChoice) {
  return routes.filter((route) => chosen(choice, route)).flatMap((route) => route.insertions);
}

function change(path: string, text: string | undefined, after: string, kind: FileChange["kind"] = "edit"): FileChange {
  return { ...of(text === undefined ? { path } : { path, text }), after, kind };
}
