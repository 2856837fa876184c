/** From a Zuplo project to what the policy is asked about it. Pure. */
import { readValues } from "../init/env-file.ts";
import type { ProjectFile } from "../init/project.ts";
import type { Route } from "../init/routes.ts";
import type { ToInspect } from "./ask.ts";

/** Options with the values of `.env` put in, as the gateway does it; a variable without a value leaves its option out. */
export function toInspect(options: unknown, routes: readonly Route[], env: ProjectFile): ToInspect {
  return {
    options: substitute(options, readValues(env.text)),
    routes: routes.map(({ path, methods, operation }) => ({
      path,
      methods,
      operationId: operation["operationId"],
      xAudit: operation["x-audit"],
      handler: handlerOf(operation),
    })),
  };
}

function handlerOf(operation: Route["operation"]): unknown {
  const route = operation["x-zuplo-route"];
  return typeof route === "object" && route !== null && "handler" in route ? route.handler : undefined;
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
