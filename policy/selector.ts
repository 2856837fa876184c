/**
 * Selectors: where a value of a record comes from. `$user.sub`, `$user.data.*`, `$params.*`, `$query.*`, `$header.*`, `$body.*`,
 * `$response.status`, `$response.header.*`, `$response.body.*`; a name with dots stands in brackets, `$user.data["https://x/org"]`,
 * and an element of a list may, `$body.items[0]`.
 * At the end `?` makes a selector optional (its absence is not marked) and `!` required (nothing takes its place).
 */
import { isSecretName } from "./secrets.ts";

export interface Selector {
  /** As written, without the mark at its end; this is what `missing` shows. */
  readonly text: string;
  readonly root: string;
  readonly path: readonly string[];
  /** The mark at its end. */
  readonly need: string;
  /** It names a secret, or what stands below one, so its value is dropped. */
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

const SELECTOR = /^(\$(user|params|query|header|body|response\.(?:status|header|body))((?:[.[].*?)?))([?!]?)$/;
const USER_PATH = /^\.sub$|^\.data[.[]./;

/** Reads a selector; undefined for a text that is none, or one that is not allowed: nobody can select a credential header. */
export function parseSelector(given: string, moreSecretNames: readonly string[] = []): Selector | undefined {
  const [, text = "", root = "", rest = "", need = ""] = SELECTOR.exec(given) ?? [];
  if (!text || (root === "user" && !USER_PATH.test(rest))) return undefined;
  const isHeader = root.endsWith("header");
  const names = [...rest.matchAll(NAME)].map(([, plain, , quoted]) => plain ?? quoted ?? "");
  const path = isHeader ? [names.join(".").toLowerCase()] : names;
  const secret = isSecretName(path, moreSecretNames);
  if (rest.replaceAll(NAME, "") || (path.length === 0) !== (root === "response.status")) return undefined;
  if (isHeader && (secret || !HEADER_NAME.test(path.join()))) return undefined;
  return { text, root, path, need, secret };
}

/** The same text for one selector however it is written, and for no other. */
export function sourceOf({ root, path }: Pick<Selector, "root" | "path">): string {
  return [root, ...path].join();
}

/** `.a`, `["b.c"]` and `[0]`. */
const NAME = /\.([^.[\]]+)|\[(["']?)(.+?)\2\]/g;
/** Asking for a header of another name throws. */
const HEADER_NAME = /^[\w.-]+$/;

/** The selected scalar; undefined where nothing is there, or where it is not a scalar. */
export function resolve({ root, path }: Selector, seen: Seen): Scalar | undefined {
  const [name = ""] = path;
  const { response, headers } = seen;
  if (root === "response.status") return response?.status;
  if (root === "header") return headers?.get(name) ?? undefined;
  if (root === "response.header") return response?.headers.get(name) ?? undefined;
  return scalarAt(root === "response.body" ? response?.body : (seen as Readonly<Record<string, unknown>>)[root], path);
}

function scalarAt(value: unknown, path: readonly string[]): Scalar | undefined {
  let at = value;
  for (const name of path) {
    // Own properties only: `constructor` and `__proto__` are nobody's data.
    const fields = recordOf(at);
    if (!Object.hasOwn(fields, name)) return undefined;
    at = fields[name];
  }
  return isScalar(at) ? at : undefined;
}

/** True for what a selector may take: a text, a finite number, true or false. */
export function isScalar(value: unknown): value is Scalar {
  return ["string", "boolean"].includes(typeof value) || Number.isFinite(value);
}

/** The value as an object whose properties may be asked for. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/** A scalar as text; undefined for what is none, or empty. Code and auth policies may give a number where a text is meant. */
export function textOf(value: unknown): string | undefined {
  return isScalar(value) && value !== "" ? String(value) : undefined;
}
