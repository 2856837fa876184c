/** Inspects the routes of a project, each with the options of its entry. */
import { readValues } from "../init/env-file.ts";
import type { ProjectFile } from "../init/project.ts";
import type { Route } from "../init/routes.ts";
import { type InspectedRoute, type Inspection, inspectProject, type ToInspect } from "./evaluation.ts";

type Options = Readonly<Record<string, unknown>>;

/**
 * Returns what the policy would log at its start, with the routes in order. `options` are those of the entry "audit-log", for
 * routes without an entry. Throws `unavailable`.
 */
export async function inspectRoutes(options: Options, routes: readonly Route[], env: ProjectFile): Promise<Inspection> {
  const optionsOf = (route: Route) => route.auditedBy?.options ?? options;
  const groups = new Map<Options, Route[]>([[options, []]]);
  for (const route of routes) groups.set(optionsOf(route), [...(groups.get(optionsOf(route)) ?? []), route]);
  const inspections = await Promise.all(
    [...groups].map(([given, members]) =>
      inspectProject({ options: withValues(given, env), routes: members.map(toInspect) }),
    ),
  );
  const inspected = new Map<Route, InspectedRoute>();
  for (const [index, members] of [...groups.values()].entries())
    for (const [position, route] of members.entries()) {
      const found = inspections[index]?.routes[position];
      if (found) inspected.set(route, found);
    }
  return {
    optionProblems: [...new Set(inspections.flatMap(({ optionProblems }) => optionProblems))],
    routes: routes.flatMap((route) => inspected.get(route) ?? []),
  };
}

function toInspect({ path, methods, operation }: Route): ToInspect["routes"][number] {
  const { operationId, xAudit, handler } = meaningOf(operation);
  return { path, methods, operationId, xAudit, handler };
}

/** The parts of an operation that determine its records. */
export function meaningOf(
  operation: Route["operation"],
): Pick<ToInspect["routes"][number], "operationId" | "xAudit" | "handler"> {
  const route = operation["x-zuplo-route"];
  const handler = typeof route === "object" && route !== null && "handler" in route ? route.handler : undefined;
  return { operationId: operation["operationId"], xAudit: operation["x-audit"], handler };
}

/** Inserts the values of `.env` into the options, as the gateway does. A variable without a value removes its option. */
export function withValues(options: unknown, env: ProjectFile): unknown {
  return substitute(options, readValues(env.text));
}

function substitute(value: unknown, values: ReadonlyMap<string, string>): unknown {
  if (typeof value === "string") {
    const whole = /^\$env\((\w+)\)$/.exec(value)?.[1];
    if (whole !== undefined) return values.get(whole);
    return value.replaceAll(/\$env\((\w+)\)/g, (_match, name: string) => values.get(name) ?? "");
  }
  if (Array.isArray(value)) return value.map((item) => substitute(item, values));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, substitute(item, values)]));
}
