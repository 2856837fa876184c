/** What `init` would change in a project, and what `--check` finds in it. Pure. */
import { placeEntry } from "./entry.ts";
import { addVariables } from "./env-file.ts";
import { insertAll } from "./json-edit.ts";
import { refuseForeignModule } from "./module.ts";
import type { ZuploProject } from "./project.ts";
import { chosen, readRoutes, recordChoice, recordedChoice, type Route, type RouteChoice } from "./routes.ts";

/** One file to write; `before` is absent where it is new. */
export interface Change {
  readonly path: string;
  readonly before?: string;
  readonly after: string;
  /** A built file is named, not shown; of the variables only the added lines are shown. */
  readonly kind: "edit" | "module" | "variables";
}

export interface InitPlan {
  readonly changes: readonly Change[];
  readonly routes: readonly Route[];
  /** Which routes should be audited: what was asked for now or recorded before. */
  readonly choice: RouteChoice;
  /** Options of the entry that was there before; absent on a first run. */
  readonly options?: Readonly<Record<string, unknown>>;
}

/**
 * Plans a run. A project that has the policy already keeps its routes as they are unless `choice` is given, so that running
 * `init` again only upgrades the module. Throws where the project cannot be read or something of ours is not ours.
 */
export function planInit(project: ZuploProject, built: string, choice: RouteChoice | undefined): InitPlan {
  const entry = placeEntry(project.policies, project.module);
  refuseForeignModule(project.module, entry.options !== undefined);
  const perFile = project.openApi.map((file) => ({ file, routes: readRoutes(file.path, file.text) }));
  const recorded = choice ?? recordedChoice(project.module.text);
  const added = choice ?? (entry.options ? "none" : recorded);
  const changes = [
    change(project.module.path, project.module.text, inEolOf(project.module, recordChoice(built, recorded)), "module"),
    change(project.policies.path, project.policies.text, entry.text),
    ...perFile.map(({ file, routes }) => change(file.path, file.text, insertAll(file.text, wanted(routes, added)))),
    change(project.env.path, project.env.text, addVariables(project.env.text), "variables"),
  ].filter(({ before, after }) => before !== after);
  return {
    changes,
    routes: perFile.flatMap(({ routes }) => routes),
    choice: recorded,
    ...(entry.options ? { options: entry.options } : {}),
  };
}

/** With the line ends that the file has: Git writes others on Windows, which is no other version. */
function inEolOf({ text }: ZuploProject["module"], built: string): string {
  return text?.includes("\r\n") ? built.replaceAll("\n", "\r\n") : built;
}

function wanted(routes: readonly Route[], choice: RouteChoice) {
  return routes.filter((route) => chosen(choice, route)).flatMap((route) => route.insertions);
}

function change(path: string, before: string | undefined, after: string, kind: Change["kind"] = "edit"): Change {
  return { path, ...(before === undefined ? {} : { before }), after, kind };
}
