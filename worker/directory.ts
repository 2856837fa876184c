/**
 * The optional directory of organizations and names (KV binding `DIRECTORY`), plain text: `organization:<id of another system>` and
 * `organization` (the default) hold a WorkOS organization id; `name:<type>:<id>` holds the name of an actor or a target.
 */
import type { AuditRecord, Party } from "../shared/record.ts";

/** Returns values by key, without unknown keys. Rejects if the directory does not answer. */
export type Directory = (keys: readonly string[]) => Promise<ReadonlyMap<string, string>>;

/** KV accepts at most 100 keys per call. https://developers.cloudflare.com/kv/api/read-key-value-pairs/ */
const MAX_KEYS = 100;
/** One longer key makes KV refuse the whole call. https://developers.cloudflare.com/kv/platform/limits/ */
const KEY_MAX_BYTES = 512;
/** A lookup must not use up the lease. Our choice. */
const LOOKUP_TIMEOUT_MS = 1_000;
/** How long an isolate caches a value, or its absence. Our choice. */
const HIT_TTL_MS = 300_000;
const MISS_TTL_MS = 60_000;
/** About 1 MB of memory. Our choice. */
const CACHE_MAX_ENTRIES = 5_000;

/** The key of the default organization. */
const DEFAULT_ORGANIZATION_KEY = "organization";

/** The key of a record's organization; undefined if the record already holds a WorkOS id. */
export function organizationKey({ organization }: Pick<AuditRecord, "organization">): string | undefined {
  if (!organization) return DEFAULT_ORGANIZATION_KEY;
  return organization.startsWith("org_") ? undefined : `organization:${organization}`;
}

/** The key of a party's name; undefined if it already has one or cannot have one. */
export function nameKey({ id, type, name }: Party): string | undefined {
  return name !== undefined || type === "anonymous" || type === "route" ? undefined : `name:${type}:${id}`;
}

/** Returns the keys that the records of one message need, organizations first, limited to one call. */
export function keysOf(records: readonly AuditRecord[]): readonly string[] {
  const organizations = records.flatMap((record) => organizationKey(record) ?? []);
  const names = records.flatMap(({ actor, targets }) => [actor, ...targets].flatMap((party) => nameKey(party) ?? []));
  return [...new Set([...organizations, ...names])].filter(fits).slice(0, MAX_KEYS);
}

/** A character has at most three bytes, so most keys need no encoding. */
function fits(key: string): boolean {
  return key.length * 3 <= KEY_MAX_BYTES || new TextEncoder().encode(key).length <= KEY_MAX_BYTES;
}

/** The part of a KV namespace that we use. */
interface Store {
  get(keys: string[]): Promise<ReadonlyMap<string, string | null>>;
}

interface Cached {
  readonly value: string | undefined;
  readonly untilMs: number;
}

/** Reads the directory from KV with a cache in the isolate; at most one call per message. */
export function cachedDirectory(store: Store, now: () => number): Directory {
  const cache = new Map<string, Cached>();
  return async (keys) => {
    const nowMs = now();
    const unknown = keys.filter((key) => (cache.get(key)?.untilMs ?? 0) <= nowMs);
    if (unknown.length > 0) {
      const found = await inTime(store.get([...unknown]));
      if (cache.size + unknown.length > CACHE_MAX_ENTRIES) cache.clear();
      for (const key of unknown) {
        // A value piped in ends in a line break.
        const value = found.get(key)?.trim() || undefined;
        cache.set(key, { value, untilMs: nowMs + (value === undefined ? MISS_TTL_MS : HIT_TTL_MS) });
      }
    }
    return new Map(keys.flatMap((key) => pairOf(key, cache.get(key)?.value)));
  };
}

function pairOf(key: string, value: string | undefined): [string, string][] {
  return value === undefined ? [] : [[key, value]];
}

async function inTime<T>(answer: Promise<T>): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error("the directory does not answer")), LOOKUP_TIMEOUT_MS);
  try {
    return await Promise.race([answer, late]);
  } finally {
    clearTimeout(timer);
  }
}
