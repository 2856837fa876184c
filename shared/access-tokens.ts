/** The tokens of operators as the worker's variable `AUDIT_TOKENS` lists them, and what each role may do. */
import { fromBase64 } from "./bytes.ts";

/** What an operator may do, from least to most: each role may do all that the ones before it may. */
export const ROLES = ["read", "operate", "admin"] as const;
export type Role = (typeof ROLES)[number];

/** Shortest token, and shortest key in bytes, that nobody can guess. Our choice; `openssl rand -base64 24` makes more of both. */
export const SECRET_MIN_LENGTH = 24;
/** Most tokens in one list: a Cloudflare secret holds 5 kB. https://developers.cloudflare.com/workers/platform/limits/ */
const TOKENS_MAX = 100;

/** One token, by its hash: whoever reads the variable cannot call the API. */
export interface TokenEntry {
  /** Whom receipts and audit events name. */
  readonly name: string;
  readonly role: Role;
  /** Hexadecimal SHA-256 of the token's UTF-8 bytes, in lower case. */
  readonly sha256: string;
  /** The last day on which the token is accepted, in UTC: `YYYY-MM-DD`. */
  readonly expires?: string;
}

declare const TextDecoder: new (label: string, options: { fatal: boolean }) => { decode(bytes: Uint8Array): string };

/** Returns true if `role` may do what needs the role `needed`. */
export function roleAllows(role: Role, needed: Role): boolean {
  return ROLES.indexOf(role) >= ROLES.indexOf(needed);
}

/**
 * Returns the tokens of `AUDIT_TOKENS`, or undefined if any part of it is malformed: a list that is accepted in part could let
 * somebody in whom its author left out.
 *
 * @param text JSON, or base64url of it for files that cannot hold quotes
 * @example
 * parseTokens('[{"name":"ann","role":"operate","sha256":"9f86d0…","expires":"2027-01-31"}]');
 */
export function parseTokens(text: string): readonly TokenEntry[] | undefined {
  const trimmed = text.trim();
  const list = parseJson(trimmed.startsWith("[") ? trimmed : decoded(trimmed));
  if (!Array.isArray(list) || list.length > TOKENS_MAX) return undefined;
  const entries = list.map(parseEntry);
  if (!entries.every((entry) => entry !== undefined)) return undefined;
  // Of two entries for one token, nobody could say which role it has.
  return new Set(entries.map(({ sha256 }) => sha256)).size === entries.length ? entries : undefined;
}

/** Returns when a token stops being accepted, in ms since the epoch: the end of the day in UTC. Undefined if it is no date. */
export function expiryMs(expires: string): number | undefined {
  const startMs = /^\d{4}-\d\d-\d\d$/.test(expires) ? Date.parse(`${expires}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(startMs) || !new Date(startMs).toISOString().startsWith(expires)) return undefined;
  return startMs + 86_400_000;
}

/** Returns true for a name that a receipt can show: 1 to 100 characters, no control characters, no space at either end. */
export function isTokenName(name: string): boolean {
  return /^[^\p{C}\p{Z}](?:[^\p{C}\u2028\u2029]{0,98}[^\p{C}\p{Z}])?$/u.test(name);
}

const FIELDS: ReadonlySet<string> = new Set(["name", "role", "sha256", "expires"]);

function parseEntry(value: unknown): TokenEntry | undefined {
  if (typeof value !== "object" || value === null || !Object.keys(value).every((key) => FIELDS.has(key)))
    return undefined;
  const { name, role, sha256, expires } = value as Readonly<Record<string, unknown>>;
  if (typeof name !== "string" || !isTokenName(name)) return undefined;
  if (typeof sha256 !== "string" || !/^[0-9a-f]{64}$/i.test(sha256)) return undefined;
  const known = ROLES.find((one) => one === role);
  if (known === undefined) return undefined;
  if (expires === undefined) return { name, role: known, sha256: sha256.toLowerCase() };
  if (typeof expires !== "string" || expiryMs(expires) === undefined) return undefined;
  return { name, role: known, sha256: sha256.toLowerCase(), expires };
}

function decoded(base64url: string): string {
  const bytes = /^[A-Za-z0-9_-]+={0,2}$/.test(base64url) ? fromBase64(base64url) : undefined;
  try {
    return bytes === undefined ? "" : new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return "";
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
