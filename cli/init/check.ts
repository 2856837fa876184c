/** What `init --check` finds: drift from what `init` would make. Pure. */
import type { InitPlan } from "./plan.ts";
import type { ZuploProject } from "./project.ts";
import { readVariables } from "./env-file.ts";
import { chosen, isSkipped } from "./routes.ts";

/** `drift` and `wrong` make the check fail; `note` does not. */
export interface Finding {
  readonly level: "drift" | "wrong" | "note";
  /** A file, a route, a variable or an option. */
  readonly subject: string;
  readonly message: string;
}

/** Everything that differs from what `init` would make. */
export function findDrift(project: ZuploProject, plan: InitPlan, withVariables: boolean): readonly Finding[] {
  return [
    ...moduleFindings(plan),
    ...entryFindings(project, plan),
    ...routeFindings(plan),
    ...(withVariables ? variableFindings(project) : []),
  ];
}

function moduleFindings({ changes }: InitPlan): readonly Finding[] {
  return changes
    .filter(({ kind }) => kind === "module")
    .map(({ path, before }) => drift(path, before === undefined ? "is missing" : "differs from this version's"));
}

function entryFindings(project: ZuploProject, { options }: InitPlan): readonly Finding[] {
  return options ? [] : [drift(project.policies.path, 'has no policy "audit-log"')];
}

function routeFindings({ routes, options, choice }: InitPlan): readonly Finding[] {
  const absent = routes.filter((route) => route.place === "absent" && chosen(choice, route) && !isSkipped(route));
  const later = routes.filter((route) => route.place === "later");
  const noneAtAll = options && routes.length > 0 && routes.every((route) => route.place === "absent");
  return [
    ...absent.map(({ file, name }) => drift(`${name} (${file})`, "is not audited")),
    ...later.map(({ file, name }) => drift(`${name} (${file})`, 'has "audit-log", but not first in "inbound"')),
    ...(noneAtAll && absent.length === 0 ? [note("routes", "no route is audited")] : []),
  ];
}

function variableFindings({ env }: ZuploProject): readonly Finding[] {
  const { absent, empty } = readVariables(env.text);
  return [
    ...absent.map((name) => drift(name, `is missing in "${env.path}"`)),
    ...empty.map((name) => note(name, `has no value in "${env.path}"; set it here and in the project's settings`)),
  ];
}

function drift(subject: string, message: string): Finding {
  return { level: "drift", subject, message };
}

function note(subject: string, message: string): Finding {
  return { level: "note", subject, message };
}
