/** Finds the route of a request in a table. */
import { problemAnswer } from "./answers.ts";
import type { Route } from "./route.ts";

interface CompiledRoute extends Route {
  /** Absent if the path has no parameter: comparing strings is cheaper. */
  readonly pattern: URLPattern | undefined;
}

type Match =
  { readonly route: Route; readonly params: Readonly<Record<string, string>> } | { readonly refusal: Response };

/** Compiles a table once, so that a request parses no patterns. */
export function compileRoutes(routes: readonly Route[]): readonly CompiledRoute[] {
  return routes.map((route) => ({
    ...route,
    pattern: route.path.includes(":") ? new URLPattern({ pathname: route.path }) : undefined,
  }));
}

/** Returns the route of a request and its path parameters, or a refusal (404 `not_found`, 405 `method_not_allowed`). */
export function matchRoute(routes: readonly CompiledRoute[], method: string, url: URL): Match {
  const allowed: string[] = [];
  for (const route of routes) {
    const params = paramsOf(route, url.pathname);
    if (!params) continue;
    if (route.method === method || (method === "HEAD" && route.method === "GET")) return { route, params };
    allowed.push(route.method);
  }
  if (allowed.length === 0) return { refusal: problemAnswer(404, "not_found", "Not found", "there is no such route") };
  const allow = allowed.join(", ");
  return {
    refusal: problemAnswer(405, "method_not_allowed", "Method not allowed", `this route takes ${allow}`, { allow }),
  };
}

function paramsOf({ path, pattern }: CompiledRoute, pathname: string): Readonly<Record<string, string>> | undefined {
  if (!pattern) return path === pathname ? {} : undefined;
  return pattern.exec({ pathname })?.pathname.groups;
}
