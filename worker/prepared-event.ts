/** Makes the bytes for WorkOS from all records of a message: shape, look up, enrich, serialize. */
import lock from "../audit-schemas.lock.json" with { type: "json" };
import { canonicalJson } from "../shared/evidence/canonical-json.ts";
import { EVENT_MAX_BYTES } from "../shared/limits.ts";
import type { AuditRecord, Party } from "../shared/record.ts";
import { keysOf, nameKey, organizationKey, type Directory } from "./directory.ts";
import { enrich } from "./enrichment.ts";
import { isShaped, shape } from "./shape.ts";

/** The bytes of one record's event in canonical form, whose hash is its leaf in the evidence, or the reason why there are none. */
export type PreparedEvent =
  | { readonly kind: "ready"; readonly body: string }
  /** It can never be sent in this form. */
  | { readonly kind: "rejected"; readonly reason: string }
  /** Something it needs cannot be read right now. */
  | { readonly kind: "retry"; readonly reason: string };

/** Registered version of each action, as `audit-forwarder schemas push` wrote it; WorkOS treats a missing version as the first one. */
const schemaVersions = new Map(Object.entries<number>(lock));

/** Prepares the records of one message in order; asks the directory at most once. */
export async function prepareAll(
  records: readonly AuditRecord[],
  directory: Directory | undefined,
): Promise<readonly PreparedEvent[]> {
  // Records that the policy shaped need no wait, so that a message does not cost one promise per record.
  const shaped = records.every(isShaped) ? records : await Promise.all(records.map(shapeOnce));
  const found = directory ? await lookUp(directory, shaped) : NOTHING;
  const prepared: PreparedEvent[] = [];
  for (const record of shaped) {
    const made = prepareOne(record, found, true);
    // A character has at most three bytes. Names from the directory are dropped first.
    const isTooLong = made.kind === "ready" && made.body.length * 3 > EVENT_MAX_BYTES;
    prepared.push(isTooLong ? prepareOne(await shape(record), found, false) : made);
  }
  return prepared;
}

async function shapeOnce(record: AuditRecord): Promise<AuditRecord> {
  return isShaped(record) ? record : shape(record);
}

const NOTHING: ReadonlyMap<string, string> = new Map();

/** Undefined if the directory does not answer. */
async function lookUp(directory: Directory, records: readonly AuditRecord[]) {
  try {
    return await directory(keysOf(records));
  } catch {
    return undefined;
  }
}

function prepareOne(
  record: AuditRecord,
  found: ReadonlyMap<string, string> | undefined,
  isNamed: boolean,
): PreparedEvent {
  const key = organizationKey(record);
  // A name may be missing; a wrong organization must not be sent.
  if (!found && key !== undefined) return { kind: "retry", reason: "directory_unreachable" };
  const organization = key === undefined ? undefined : found?.get(key);
  const nameOf = isNamed && found?.size ? (party: Party) => found.get(nameKey(party) ?? "") : undefined;
  const event = enrich(record, { organization, schemaVersion: schemaVersions.get(record.action), nameOf });
  return event ? { kind: "ready", body: canonicalJson(event) } : { kind: "rejected", reason: "organization_missing" };
}
