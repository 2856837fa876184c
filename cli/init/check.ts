/** What `init --check` finds: drift from what `init` would make. Pure. */
import type { Inspection } from "../policy/ask.ts";
import type { Suggest } from "../run/suggestion.ts";
import type { InitPlan } from "./plan.ts";
import type { ZuploProject } from "./project.ts";
import { readVariables } from "./env-file.ts";
import { chosen, isSkipped } from "./routes.ts";

/** `drift` and `wrong` make the check fail; `note` does not. */
interface Finding {
  readonly level: "drift" | "wrong" | "note";
  /** A file, a route, a variable or an option. */
  readonly subject: string;
  readonly message: string;
}

/** Everything that differs from what `init` would make. */
export function findDrift(
  project: ZuploProject,
  plan: InitPlan,
  inspection: Inspection,
  suggest: Suggest,
): readonly Finding[] {
  return [
    ...moduleFindings(plan),
    ...entryFindings(project, plan),
    ...(plan.options ? optionFindings(project, inspection) : []),
    ...routeFindings(project, plan, suggest),
    ...meaningFindings(plan, inspection),
    ...variableFindings(project),
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

/**
 * A missing variable is named by its own name; the rest is what the policy would log at its start. Where there is no `.env`, the
 * keys of pseudonyms are not known.
 */
function optionFindings({ env }: ZuploProject, { optionProblems }: Inspection): readonly Finding[] {
  return optionProblems
    .filter((problem) => !problem.startsWith("missing_variable"))
    .filter((problem) => env.text !== undefined || !problem.includes('"AUDIT_PSEUDONYM_KEYS"'))
    .map((problem) => {
      const [, subject = "options", message = problem] = /^\w+: "(\w+)" (.*)$/.exec(problem) ?? [];
      return { level: "wrong", subject, message };
    });
}

/** What is wrong with the `x-audit` of a route. */
function meaningFindings({ routes }: InitPlan, inspection: Inspection): readonly Finding[] {
  return routes.flatMap(({ file, name }, index) =>
    (inspection.routes[index]?.problems ?? []).map((problem): Finding => ({
      level: "wrong",
      subject: `${name} (${file})`,
      message: `x-audit: ${problem}`,
    })),
  );
}

function routeFindings(
  { directory }: ZuploProject,
  { routes, options, choice }: InitPlan,
  suggest: Suggest,
): readonly Finding[] {
  const absent = routes.filter((route) => route.place === "absent" && chosen(choice, route) && !isSkipped(route));
  const later = routes.filter((route) => route.place === "later");
  const noneAtAll = options && routes.length > 0 && routes.every((route) => route.place === "absent");
  // Without "--routes", a later run leaves the routes as they are.
  const unaudited = `is not audited; to add it, run: ${suggest("init", directory, "--routes", choice)}`;
  return [
    ...absent.map(({ file, name }) => drift(`${name} (${file})`, unaudited)),
    ...later.map(({ file, name }) => drift(`${name} (${file})`, 'has "audit-log", but not first in "inbound"')),
    ...(noneAtAll && absent.length === 0 ? [note("routes", "no route is audited")] : []),
  ];
}

/** Where there is no file at all, as in CI, nothing can be said of the variables. */
function variableFindings({ env }: ZuploProject): readonly Finding[] {
  if (env.text === undefined) return [note(env.path, "is not here; the variables were not checked")];
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
