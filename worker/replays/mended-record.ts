/** Mending: what an operator corrects in a record before it is sent again. Pure; event id and time never change. */
import type { AuditRecord, Metadata, Party } from "../../shared/record.ts";

/** Fields whose values can be mapped from one to another. */
export const MAPPED = ["action", "organization", "actor.type", "targets.type"] as const;
type Mapped = (typeof MAPPED)[number];
type Mapping = Readonly<Record<string, string>>;

export interface Mend {
  readonly set?: { readonly action?: string | undefined; readonly organization?: string | undefined } | undefined;
  /** `metadata.<key>`, `actor.metadata.<key>` or `targets.metadata.<key>`. */
  readonly drop?: readonly string[] | undefined;
  readonly map?: { readonly [field in Mapped]?: Mapping | undefined } | undefined;
}

export interface FieldChange {
  readonly field: string;
  readonly from: string | null;
  readonly to: string | null;
}

interface Mended {
  readonly record: AuditRecord;
  /** Empty if the mend changes nothing in this record. */
  readonly changes: readonly FieldChange[];
}

/** Dropped values came from a request, so a change does not show them. */
const HIDDEN = "[hidden]";

/** Maps, then sets, then drops; a record that needs no change stays as it is. */
export function mendRecord(record: AuditRecord, mend: Mend | undefined): Mended {
  if (!mend) return { record, changes: [] };
  const changes: FieldChange[] = [];
  const action = mend.set?.action ?? mapped(mend, "action", record.action) ?? record.action;
  const organization = mend.set?.organization ?? mapped(mend, "organization", record.organization);
  note(changes, "action", record.action, action);
  note(changes, "organization", record.organization, organization);
  const { metadata, organization: _before, ...rest } = record;
  const mended: AuditRecord = {
    ...rest,
    action,
    ...(organization === undefined ? {} : { organization }),
    actor: mendParty(record.actor, "actor", mend, changes),
    targets: record.targets.map((target) => mendParty(target, "targets", mend, changes)),
    ...kept(metadata, "metadata", mend, changes),
  };
  return { record: changes.length === 0 ? record : mended, changes };
}

function mendParty(party: Party, name: "actor" | "targets", mend: Mend, changes: FieldChange[]): Party {
  const { metadata, ...rest } = party;
  const type = mapped(mend, `${name}.type`, party.type) ?? party.type;
  note(changes, `${name}.type`, party.type, type);
  return { ...rest, type, ...kept(metadata, `${name}.metadata`, mend, changes) };
}

function note(changes: FieldChange[], field: string, from: string | undefined, to: string | undefined): void {
  if (from !== to) changes.push({ field, from: from ?? null, to: to ?? null });
}

function mapped(mend: Mend, field: Mapped, value: string | undefined): string | undefined {
  const mapping = mend.map?.[field];
  return value !== undefined && mapping && Object.hasOwn(mapping, value) ? mapping[value] : value;
}

function kept(
  metadata: Metadata | undefined,
  path: string,
  { drop }: Mend,
  changes: FieldChange[],
): { metadata?: Metadata } {
  if (!metadata) return {};
  const dropped = Object.keys(metadata).filter((key) => drop?.includes(`${path}.${key}`));
  changes.push(...dropped.map((key) => ({ field: `${path}.${key}`, from: HIDDEN, to: null })));
  const left = Object.entries(metadata).filter(([key]) => !dropped.includes(key));
  return left.length === 0 ? {} : { metadata: Object.fromEntries(left) };
}

/** Names of the fields mended in a record, in this replay or before. */
export function mendedFields(record: AuditRecord, changes: readonly FieldChange[]): readonly string[] {
  return [...new Set([...(record.replay?.mended ?? []), ...changes.map(({ field }) => field)])];
}
