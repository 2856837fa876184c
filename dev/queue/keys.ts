import { randomBytes } from "node:crypto";
import type { Database } from "./store/database.ts";

/** The official development server's first user (upstash.com/docs/qstash/howto/local-development): public, for laptops only. */
export const DEV_TOKEN = "eyJVc2VySUQiOiJkZWZhdWx0VXNlciIsIlBhc3N3b3JkIjoiZGVmYXVsdFBhc3N3b3JkIn0=";
const DEV_CURRENT_KEY = "sig_7kYjw48mhY7kAjqNGcy6cr29RJ6r";
const DEV_NEXT_KEY = "sig_5ZB6DVzB1wjE8S6rZ7eenA8Pdnhs";

export interface SigningKeys {
  current(): string;
  next(): string;
  /** Makes the next key current and creates a new next key. Call it inside a write. */
  rotate(): void;
}

/** Uses the given keys, else those of the last rotation, else the public development keys. */
export function createKeys(
  database: Database,
  given: { current?: string | undefined; next?: string | undefined },
): SigningKeys {
  const stored = (name: string): string | undefined =>
    database.one<{ value: string }>("SELECT value FROM setting WHERE name = ?", name)?.value;
  const keys = {
    current: given.current ?? stored("current_signing_key") ?? DEV_CURRENT_KEY,
    next: given.next ?? stored("next_signing_key") ?? DEV_NEXT_KEY,
  };
  return {
    current: () => keys.current,
    next: () => keys.next,
    rotate() {
      keys.current = keys.next;
      keys.next = `sig_${randomBytes(21).toString("base64url").replaceAll(/[-_]/g, "0")}`;
      database.run("INSERT OR REPLACE INTO setting (name, value) VALUES ('current_signing_key', ?)", keys.current);
      database.run("INSERT OR REPLACE INTO setting (name, value) VALUES ('next_signing_key', ?)", keys.next);
    },
  };
}
