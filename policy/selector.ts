/**
 * Selectors: where a value of a record comes from. The roots are `$user.*`, `$params.*`, `$query.*`, `$header.*`, `$body.*`,
 * `$response.status`, `$response.header.*`, `$response.body.*`, and below `each` also `$item` and `$item.*`. A name with dots goes
 * in brackets, `$user.data["https://x/org"]`, and so may an element of a list, `$body.items[0]`.
 * At the end `?` makes a selector optional (its absence is not marked) and `!` required (nothing takes its place).
 */
import { isSecretName } from "./secret-names.ts";

export interface Selector {
  /** As written, without the mark at its end; `missing` shows this form. */
  readonly text: string;
  readonly root: string;
  readonly path: readonly string[];
  /** The mark at its end. */
  readonly need: string;
  /** It names a secret, or something below one, so its value is dropped. */
  readonly secret: boolean;
}

/** The input of selectors. */
export interface Seen {
  readonly method?: string | undefined;
  readonly user?: unknown;
  /** The path's parameters as the caller sent them, percent-encoded. */
  readonly params?: unknown;
  readonly query?: URLSearchParams | undefined;
  readonly headers?: Headers | undefined;
  readonly body?: unknown;
  /** Why the body has no value. */
  readonly bodyFault?: string | undefined;
  /** The current element of the nearest `each`. */
  readonly item?: unknown;
  readonly response?: SeenResponse | undefined;
}

interface SeenResponse {
  readonly status: number;
  readonly headers: Headers;
  /** For an event stream, its JSON messages. */
  readonly body?: unknown;
  readonly bodyFault?: string | undefined;
}

export type Scalar = string | number | boolean;

const SELECTOR = /^(\$(user|params|query|header|body|item|response\.(?:status|header|body))((?:[.[].*?)?))([?!]?)$/;
/** Roots that are values themselves; the others need a name after them. */
const WHOLE = ["item", "response.status"];

/** Where a selector is used: a condition or `each` may name a whole root, such as `$body`. */
interface SelectorPlace {
  readonly redact?: readonly string[] | undefined;
  readonly whole?: boolean;
}

/** Parses a selector; undefined for any other text, and for a credential header, which nobody can select. */
export function parseSelector(given: string, { redact = [], whole = false }: SelectorPlace = {}): Selector | undefined {
  const [, text = "", root = "", rest = "", need = ""] = SELECTOR.exec(given) ?? [];
  const isHeader = root.endsWith("header");
  const names = [...rest.matchAll(NAME)].map(([, plain, , quoted]) => plain ?? quoted ?? "");
  const path = isHeader ? [names.join(".").toLowerCase()] : names;
  if (!text || rest.replaceAll(NAME, "") || (root === "response.status" && rest)) return undefined;
  if (names.length === 0 && !WHOLE.includes(root) && (isHeader || !whole)) return undefined;
  // The user object contains scalars and `data`.
  if (root === "user" && !whole && (names[0] === "data") !== names.length > 1) return undefined;
  const secret = isSecretName(path, redact);
  if (isHeader && (secret || !HEADER_NAME.test(path.join()))) return undefined;
  return { text, root, path, need, secret };
}

/** The normalized text of a selector: equal for all its spellings, and unique to it. */
export function sourceOf({ root, path }: Pick<Selector, "root" | "path">): string {
  return [root, ...path].join();
}

/** `.a`, `["b.c"]` and `[0]`. */
const NAME = /\.([^.[\]]+)|\[(["']?)(.+?)\2\]/g;
/** Reading a header with an invalid name throws. */
const HEADER_NAME = /^[\w.-]+$/;

/** Returns the selected scalar, or undefined if there is none or it is not a scalar. A large integer becomes a string of its digits. */
export function resolve(selector: Selector, seen: Seen): Scalar | undefined {
  const found = find(selector, seen);
  if (typeof found === "bigint") return String(found);
  return isScalar(found) ? found : undefined;
}

/** Returns the items of the selected list; empty if there is none or it is not a list. */
export function itemsOf(selector: Selector, seen: Seen): readonly unknown[] {
  const found = find(selector, seen);
  return Array.isArray(found) ? found : [];
}

/** Returns the selected value, which can be a list or an object, or undefined if there is none. */
export function find({ root, path }: Selector, seen: Seen): unknown {
  const [name = "", ...more] = path;
  const { response, headers, query } = seen;
  if (root === "response.status") return response?.status;
  if (root === "header") return onlyValue(headers, name);
  if (root === "response.header") return onlyValue(response?.headers, name);
  if (root === "query" && query) return path.length > 0 ? valueInQuery(query.getAll(name), more) : query;
  const found = valueAt(root === "response.body" ? response?.body : (seen as Fields)[root], path);
  return root === "params" && typeof found === "string" ? decoded(found) : found;
}

type Fields = Readonly<Record<string, unknown>>;

function valueAt(value: unknown, path: readonly string[]): unknown {
  let at = value;
  for (const name of path) {
    // Own properties only: `constructor` and `__proto__` are not data.
    const fields = objectOf(at);
    if (!Object.hasOwn(fields, name)) return undefined;
    at = fields[name];
  }
  return at;
}

/** Headers whose single value may contain a comma. */
const HEADER_WITH_COMMAS = /^(user-agent|date|expires|last-modified|if-(un)?modified-since|sec-ch-ua.*)$/;

/** Returns a header's value. The platform joins repeated headers with a comma, and nobody can tell which value counts. */
function onlyValue(headers: Headers | undefined, name: string): string | undefined {
  const value = name ? headers?.get(name) : undefined;
  return value?.includes(", ") && !HEADER_WITH_COMMAS.test(name) ? undefined : (value ?? undefined);
}

/** Returns the last of several values, as the gateway does, or the one at an index. */
function valueInQuery(values: readonly string[], [index, ...more]: readonly string[]): string | undefined {
  if (more.length > 0) return undefined;
  return index === undefined ? values.at(-1) : /^\d+$/.test(index) ? values[Number(index)] : undefined;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** True for a string, a finite number, true or false. */
export function isScalar(value: unknown): value is Scalar {
  return ["string", "boolean"].includes(typeof value) || Number.isFinite(value);
}

/** Returns the value if it is an object, otherwise an empty one. */
export function objectOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

/**
 * Returns a scalar as a string; undefined for an empty string and any other value. Code and auth policies may pass a number as a
 * string field.
 */
export function textOf(value: unknown): string | undefined {
  return isScalar(value) && value !== "" ? String(value) : undefined;
}
