/** What `init --check` finds: differences from what `init` would write, and `x-audit` descriptions that cannot work. Pure. */
import type { Inspection } from "../policy/evaluation.ts";
import { actionFault } from "../schemas/action.ts";
import type { Suggest } from "../run/suggestion.ts";
import type { InitPlan } from "./plan.ts";
import type { ZuploProject } from "./project.ts";
import { readVariables } from "./env-file.ts";
import type { Finding } from "./finding.ts";
import { moduleFindings } from "./module-check.ts";
import { chosen, isSkipped, pathsWithAudit } from "./routes.ts";

/** Lists everything that differs from what `init` would write, or that cannot work. */
export function findDrift(
  project: ZuploProject,
  plan: InitPlan,
  inspection: Inspection,
  suggest: Suggest,
): readonly Finding[] {
  return [
    ...moduleFindings(project, plan.module),
    ...entryFindings(project, plan),
    ...(plan.options ? optionFindings(project, inspection) : []),
    ...routeFindings(project, plan, suggest),
    ...meaningFindings(plan, inspection),
    ...pathItemFindings(project),
    ...variableFindings(project),
  ];
}

function entryFindings(project: ZuploProject, { options }: InitPlan): readonly Finding[] {
  return options ? [] : [drift(project.policies.path, 'has no policy "audit-log"')];
}

/**
 * Names a missing variable directly; the rest is what the policy would log at its start. Without a `.env`, the pseudonym keys are
 * unknown.
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

/** The faults in the `x-audit` of each route, and what to point out every time. */
function meaningFindings({ routes }: InitPlan, inspection: Inspection): readonly Finding[] {
  return routes.flatMap((route, index) => {
    const { problems = [], warnings = [], events = [] } = inspection.routes[index] ?? {};
    const subject = `${route.name} (${route.file})`;
    const actions = isSkipped(route) ? [] : [...new Set(events.flatMap((event) => event.actions))];
    const refused = actions.flatMap((action) => actionFault(action) ?? []);
    return [
      ...[...problems, ...refused].map((text): Finding => ({ level: "wrong", subject, message: `x-audit: ${text}` })),
      ...warnings.map((text): Finding => ({ level: "warning", subject, message: `x-audit: ${text}` })),
    ];
  });
}

/** Zuplo passes the operation to a policy, not the path item around it. */
function pathItemFindings({ openApi }: ZuploProject): readonly Finding[] {
  return openApi.flatMap((file) =>
    pathsWithAudit(file).map((path): Finding => ({
      level: "wrong",
      subject: `${path} (${file.path})`,
      message: 'has "x-audit" beside its operations, where it has no effect; move it into each operation',
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
  // Without "--routes", a later run leaves the routes unchanged.
  const unaudited = `is not audited; to add it, run: ${suggest("init", directory, choice)}`;
  return [
    ...absent.map(({ file, name }) => drift(`${name} (${file})`, unaudited)),
    ...later.map(({ file, name }) => drift(`${name} (${file})`, 'has "audit-log", but not first in "inbound"')),
    ...(noneAtAll && absent.length === 0 ? [note("routes", "no route is audited")] : []),
  ];
}

/** Without the file, as in CI, the variables cannot be checked. */
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
