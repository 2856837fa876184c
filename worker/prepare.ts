/** Makes the bytes that WorkOS gets, for all records of a message: shape, look up, enrich, serialize. */
import lock from "../audit-schemas.lock.json" with { type: "json" };
import { EVENT_MAX_BYTES } from "../shared/limits.ts";
import type { AuditRecord, Party } from "../shared/record.ts";
import type { Prepared } from "./deliver/ports.ts";
import { keysOf, nameKey, organizationKey, type Directory } from "./directory.ts";
import { enrich } from "./enrich.ts";
import { isShaped, shape } from "./shape.ts";

/** Registered version of each action, as `audit-forwarder schemas push` wrote it; WorkOS takes no version as the first one. */
const schemaVersions: Readonly<Record<string, number>> = lock;

/** Prepares the records of one message in their order; needs the directory at most once. */
export async function prepareAll(
  records: readonly AuditRecord[],
  directory: Directory | undefined,
): Promise<readonly Prepared[]> {
  const shaped = await Promise.all(records.map(async (record) => (isShaped(record) ? record : await shape(record))));
  const found = directory ? await lookUp(directory, shaped) : NOTHING;
  return Promise.all(shaped.map((record) => prepareOne(record, found)));
}

const NOTHING: ReadonlyMap<string, string> = new Map();

/** Undefined where the directory does not answer. */
async function lookUp(directory: Directory, records: readonly AuditRecord[]) {
  try {
    return await directory(keysOf(records));
  } catch {
    return undefined;
  }
}

async function prepareOne(record: AuditRecord, found: ReadonlyMap<string, string> | undefined): Promise<Prepared> {
  const key = organizationKey(record);
  // A name may be missing; a wrong organization may not be sent.
  if (!found && key !== undefined) return { kind: "retry", reason: "directory_unreachable" };
  const organization = key === undefined ? undefined : found?.get(key);
  const make = (from: AuditRecord, nameOf?: (party: Party) => string | undefined) =>
    enrich(from, { organization, schemaVersion: schemaVersions[from.action], nameOf });
  const event = make(record, (party) => found?.get(nameKey(party) ?? ""));
  if (!event) return { kind: "rejected", reason: "organization_missing" };
  const body = JSON.stringify(event);
  // A character has at most three bytes.
  if (body.length * 3 <= EVENT_MAX_BYTES) return { kind: "ready", body };
  return { kind: "ready", body: JSON.stringify(make(await shape(record))) };
}
