/**
 * Selectors: where a value of a record comes from. `$user.sub`, `$user.data.*`, `$params.*`, `$query.*`, `$header.*`, `$body.*`,
 * `$response.status`, `$response.header.*`, `$response.body.*`; a name with dots stands in brackets, `$user.data["https://x/org"]`.
 * At the end `?` makes a selector optional (its absence is not marked) and `!` required (nothing takes its place).
 */
import { isSecretName } from "./secrets.ts";

export type Root =
  "user" | "params" | "query" | "header" | "body" | "response.status" | "response.header" | "response.body";
export type Need = "optional" | "normal" | "required";

export interface Selector {
  /** As written, without the mark at its end; this is what `missing` shows. */
  readonly text: string;
  readonly root: Root;
  readonly path: readonly string[];
  readonly need: Need;
  /** Its last name is one of a secret, so its value is dropped. */
  readonly secret: boolean;
}

/** What selectors choose from. */
export interface Seen {
  readonly user?: unknown;
  readonly params?: unknown;
  readonly query?: unknown;
  readonly headers?: Headers | undefined;
  readonly body?: unknown;
  readonly response?: { readonly status: number; readonly headers: Headers; readonly body?: unknown } | undefined;
}

export type Scalar = string | number | boolean;

/** Longer first, so that `$response.status` is not read as something else. */
const ROOTS: readonly Root[] = [
  "response.status",
  "response.header",
  "response.body",
  "user",
  "params",
  "query",
  "header",
  "body",
];

/** Headers that carry credentials; no configuration can select them. */
const CREDENTIAL_HEADERS: ReadonlySet<string> = new Set([
  "authorization",
  "proxy-authorization",
  "cookie",
  "set-cookie",
  "x-api-key",
  "api-key",
  "apikey",
  "x-auth-token",
  "x-access-token",
  "x-csrf-token",
  "x-xsrf-token",
  "authentication",
  "x-amz-security-token",
  "x-zuplo-token",
]);

/** Reads a selector; a text that is none, or one that is not allowed, gives a sentence that says why. */
export function parseSelector(text: string, moreSecretNames: readonly string[] = []): Selector | string {
  const need: Need = text.endsWith("?") ? "optional" : text.endsWith("!") ? "required" : "normal";
  const plain = need === "normal" ? text : text.slice(0, -1);
  const root = ROOTS.find(
    (name) => plain === `$${name}` || (/^[.[]/.test(plain.slice(name.length + 1)) && plain.startsWith(`$${name}`)),
  );
  if (!root)
    return `"${plain}" is not a selector; it must start with one of ${ROOTS.map((name) => `$${name}`).join(", ")}`;
  const rest = plain.slice(root.length + 1);
  const path = root === "header" || root === "response.header" ? [rest.slice(1).toLowerCase()] : pathOf(rest);
  if (!path) return `"${plain}" has a bracket that does not close`;
  const wrong = wrongPath(root, path);
  if (wrong !== undefined) return `"${plain}" ${wrong}`;
  const last = path.at(-1) ?? "";
  return { text: plain, root, path, need, secret: isSecretName(last, moreSecretNames) };
}

function wrongPath(root: Root, path: readonly string[]): string | undefined {
  if (root === "response.status") return path.length === 0 ? undefined : "has nothing below it";
  const [first = ""] = path;
  if (first === "") return "must name what it selects";
  if (root === "user" && !(path.length === 1 && first === "sub") && !(path.length > 1 && first === "data")) {
    return "must be $user.sub or below $user.data";
  }
  if ((root === "header" || root === "response.header") && CREDENTIAL_HEADERS.has(first)) {
    return "is a credential header and cannot be selected";
  }
  return undefined;
}

/** The names of `.a["b.c"].0`; undefined where a bracket does not close. */
function pathOf(text: string): readonly string[] | undefined {
  const names: string[] = [];
  const part = /\.([^.[]*)|\[(["'])(.*?)\2\]/gy;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (!match) return undefined;
    names.push(match[1] ?? match[3] ?? "");
  }
  return names;
}

/** The selected scalar; undefined where nothing is there, or where it is not a scalar. */
export function resolve({ root, path }: Selector, seen: Seen): Scalar | undefined {
  const { response } = seen;
  if (root === "response.status") return response?.status;
  if (root === "header") return seen.headers?.get(path[0] ?? "") ?? undefined;
  if (root === "response.header") return response?.headers.get(path[0] ?? "") ?? undefined;
  return scalarAt(root === "response.body" ? response?.body : seen[root], path);
}

function scalarAt(value: unknown, path: readonly string[]): Scalar | undefined {
  let at = value;
  for (const name of path) {
    // Own properties only: `constructor` and `__proto__` are nobody's data.
    if (typeof at !== "object" || at === null || !Object.hasOwn(at, name)) return undefined;
    at = (at as Readonly<Record<string, unknown>>)[name];
  }
  return isScalar(at) ? at : undefined;
}

export function isScalar(value: unknown): value is Scalar {
  return (
    typeof value === "string" || typeof value === "boolean" || (typeof value === "number" && Number.isFinite(value))
  );
}
