/** Finds the handler of a request in a table of routes; answers 404 and 405 as problem documents. */
import type { Env, Settings } from "../env.ts";
import { problemAnswer } from "./answers.ts";

/** What a handler gets; `settings` are parsed, `params` come from the path. */
export interface Context {
  readonly request: Request;
  readonly url: URL;
  readonly params: Readonly<Record<string, string>>;
  readonly env: Env;
  readonly settings: Settings;
  readonly execution: ExecutionContext;
  /** Who is at work on an admin route; empty on the others. */
  readonly operator: string;
}

export interface Route {
  readonly method: "GET" | "POST";
  /** URLPattern pathname, such as `/api/events/:event_id`. */
  readonly path: string;
  readonly access: "anyone" | "admin" | "signed";
  readonly handle: (context: Context) => Promise<Response> | Response;
}

interface CompiledRoute extends Route {
  /** Absent where the path has no parameter: comparing text costs nothing. */
  readonly pattern: URLPattern | undefined;
}

/** Compiles a table once, so that a request costs no parsing of patterns. */
export function compileRoutes(routes: readonly Route[]): readonly CompiledRoute[] {
  return routes.map((route) => ({
    ...route,
    pattern: route.path.includes(":") ? new URLPattern({ pathname: route.path }) : undefined,
  }));
}

function paramsOf({ path, pattern }: CompiledRoute, pathname: string): Readonly<Record<string, string>> | undefined {
  if (!pattern) return path === pathname ? {} : undefined;
  return pattern.exec({ pathname })?.pathname.groups;
}

export type Match =
  { readonly route: Route; readonly params: Readonly<Record<string, string>> } | { readonly refusal: Response };

/** The route of a request and its path parameters, or a refusal (404 `not_found`, 405 `method_not_allowed`). */
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
