/** Finds the operation to preview. */
import type { Route } from "../init/routes.ts";
import { WrongUse } from "../run/failure.ts";

/** Splits `POST /v1/members/{id}` into the method, in capitals, and the pattern. Throws `WrongUse`. */
export function parseOperation(text: string): { readonly method: string; readonly path: string } {
  const [, method = "", path = ""] = /^([A-Za-z]+)\s+(\/\S*)$/.exec(text.trim()) ?? [];
  if (method === "") throw new WrongUse('"operation" must be a method and a path, such as "POST /v1/members/{id}"');
  return { method: method.toUpperCase(), path };
}

/** Returns the route of an operation. Throws `WrongUse` naming the operations on that path, or near it. */
export function findRoute(routes: readonly Route[], { method, path }: ReturnType<typeof parseOperation>): Route {
  const onPath = routes.filter((route) => route.path === path);
  const found = onPath.find(({ methods }) => methods.includes(method.toLowerCase()));
  if (found) return found;
  const names = onPath.map(({ name }) => name).join(", ");
  const hint =
    onPath.length > 0 ? `the path has ${names}` : '"coverage" lists every operation; use "--path" for values';
  throw new WrongUse(`the project has no operation "${method} ${path}"; ${hint}`);
}
