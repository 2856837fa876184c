import type { Database } from "./database.ts";

/** One destination of a URL group. */
interface Endpoint {
  name?: string | undefined;
  url: string;
}

/** Finds endpoints that have this name or this URL. */
interface EndpointMatch {
  name?: string | undefined;
  url?: string | undefined;
}

/** A URL group: a message published to it goes to each of its endpoints. */
export interface UrlGroup {
  name: string;
  /** Milliseconds since 1970. */
  createdAt: number;
  updatedAt: number;
  endpoints: Endpoint[];
}

interface GroupRow {
  name: string;
  created_at: number;
  updated_at: number;
}

/** Returns a URL group by its name, or undefined. */
export function findUrlGroup(database: Database, name: string): UrlGroup | undefined {
  const row = database.one<GroupRow>("SELECT name, created_at, updated_at FROM url_group WHERE name = ?", name);
  return row && toUrlGroup(database, row);
}

/** Returns all URL groups, by name. */
export function listUrlGroups(database: Database): UrlGroup[] {
  return database
    .all<GroupRow>("SELECT name, created_at, updated_at FROM url_group ORDER BY name")
    .map((row) => toUrlGroup(database, row));
}

/** Adds endpoints to a group, which is created if it does not exist. Call it inside a write. */
export function addEndpoints(database: Database, group: string, endpoints: readonly Endpoint[], now: number): void {
  database.run(
    `INSERT INTO url_group (name, created_at, updated_at) VALUES (?, ?, ?)
     ON CONFLICT (name) DO UPDATE SET updated_at = excluded.updated_at`,
    group,
    now,
    now,
  );
  for (const endpoint of endpoints) {
    // A name or a URL that is there already is updated, so that neither is in a group twice.
    removeEndpoint(database, group, endpoint);
    database.run(
      "INSERT INTO endpoint (group_name, name, url) VALUES (?, ?, ?)",
      group,
      endpoint.name ?? null,
      endpoint.url,
    );
  }
}

/** Removes the endpoints that have one of the names or URLs, and the group with its last one. Call it inside a write. */
export function removeEndpoints(
  database: Database,
  group: string,
  endpoints: readonly EndpointMatch[],
  now: number,
): void {
  for (const endpoint of endpoints) removeEndpoint(database, group, endpoint);
  database.run("UPDATE url_group SET updated_at = ? WHERE name = ?", now, group);
  database.run("DELETE FROM url_group WHERE name = ? AND name NOT IN (SELECT group_name FROM endpoint)", group);
}

/** Deletes a group with its endpoints; its messages stay. Call it inside a write. */
export function deleteUrlGroup(database: Database, name: string): void {
  database.run("DELETE FROM url_group WHERE name = ?", name);
}

function removeEndpoint(database: Database, group: string, { name, url }: EndpointMatch): void {
  database.run("DELETE FROM endpoint WHERE group_name = ? AND (name = ? OR url = ?)", group, name ?? null, url ?? null);
}

function toUrlGroup(database: Database, row: GroupRow): UrlGroup {
  const sql = "SELECT name, url FROM endpoint WHERE group_name = ? ORDER BY seq";
  const endpoints = database
    .all<{ name: string | null; url: string }>(sql, row.name)
    .map(({ name, url }) => ({ ...(name === null ? {} : { name }), url }));
  return { name: row.name, createdAt: row.created_at, updatedAt: row.updated_at, endpoints };
}
