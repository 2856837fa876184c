/** The part of `x-audit` that describes a record: action, organization, actor, targets, metadata and outcome rules. */
import type { RequestOutcome } from "../shared/record.ts";
import { type Condition, readConditions } from "./conditions.ts";
import type { Selector } from "./selector.ts";
import { isFromCaller, type PlanReader, readSelector, readValue, type Value, type Values } from "./values.ts";

export interface Description {
  readonly action: Value;
  readonly organization: Value;
  readonly actor: PartyPlan;
  readonly targets: readonly TargetPlan[] | undefined;
  readonly metadata: Values;
  readonly outcome: readonly OutcomeRule[];
  /** The list that leaves one record for each of its elements. */
  readonly each: Selector | undefined;
}

export interface PartyPlan {
  readonly id: Value;
  readonly type: Value;
  readonly name: Value;
  readonly metadata: Values;
}

export interface TargetPlan extends PartyPlan {
  /** The list that leaves one target for each of its elements. */
  readonly each: Selector | undefined;
}

export interface OutcomeRule {
  readonly when: readonly Condition[];
  readonly is: RequestOutcome;
}

export type Fields = Readonly<Record<string, unknown>>;

/** The fields of a description. */
export const DESCRIPTION_FIELDS = ["action", "organization", "actor", "targets", "metadata", "outcome", "each"];

export const EMPTY_DESCRIPTION: Description = {
  action: [],
  organization: [],
  actor: { id: [], type: [], name: [], metadata: [] },
  targets: undefined,
  metadata: [],
  outcome: [],
  each: undefined,
};

type Read<T> = (reader: PlanReader, field: string, given: unknown) => T;

/** How each field is read that replaces the one below it. */
const READERS: { readonly [F in "action" | "organization" | "actor" | "targets" | "outcome"]: Read<Description[F]> } = {
  action: readAction,
  organization: readValue,
  actor: readParty,
  targets: readTargets,
  outcome: readOutcome,
};

/**
 * Reads a description on top of another: its metadata joins the other's, each other field replaces it. `at` is what stands before
 * a field's name in messages.
 */
export function readDescription(reader: PlanReader, at: string, fields: Fields, below: Description): Description {
  const each = fields["each"] === undefined ? below.each : readList(reader, `${at}each`, fields["each"]);
  const inside = { ...reader, hasItem: reader.hasItem || each !== undefined };
  const said = Object.entries(READERS)
    .filter(([name]) => fields[name] !== undefined && fields[name] !== null)
    .map(([name, read]) => [name, read(inside, at + name, fields[name])] as const);
  const metadata = readValues(inside, `${at}metadata`, fields["metadata"]);
  // A later entry of the same name wins.
  return { ...below, ...Object.fromEntries(said), each, metadata: [...new Map([...below.metadata, ...metadata])] };
}

/** The value as an object; reports any other value, and every name that is not known. */
export function readObject(reader: PlanReader, field: string, given: unknown, known?: readonly string[]): Fields {
  const isObject = typeof given === "object" && !Array.isArray(given);
  if (given !== undefined && !isObject) reader.wrong(field, "must be an object");
  const fields = isObject ? { ...given } : {};
  for (const name of Object.keys(fields)) {
    if (known && !known.includes(name)) reader.wrong(`${field}.${name}`, "is not known");
  }
  return fields;
}

function readList(reader: PlanReader, field: string, given: unknown): Selector | undefined {
  if (typeof given === "string") return readSelector(reader, field, given, true);
  reader.wrong(field, "must be a selector of a list");
  return undefined;
}

/** An action is never what the caller sends: it could fill the dead letters, or forge a registered action. */
function readAction(reader: PlanReader, field: string, given: unknown): Value {
  return readValue(reader, field, given).filter((part) => {
    const isChosen = isFromCaller(part) && !part.map;
    if (isChosen) reader.wrong(field, 'is chosen by the caller; write { "select": …, "map": … } with every action');
    return !isChosen;
  });
}

function readValues(reader: PlanReader, field: string, given: unknown): Values {
  return Object.entries(readObject(reader, field, given)).map(([key, one]) => [
    key,
    readValue(reader, `${field}.${key}`, one),
  ]);
}

const PARTY_FIELDS = ["id", "type", "name", "metadata"];

function readParty(reader: PlanReader, field: string, given: unknown): PartyPlan {
  return readPartyWith(reader, field, given, PARTY_FIELDS);
}

function readPartyWith(reader: PlanReader, field: string, given: unknown, known: readonly string[]): PartyPlan {
  const fields = readObject(reader, field, given, known);
  const part = (name: string) => readValue(reader, `${field}.${name}`, fields[name]);
  const metadata = readValues(reader, `${field}.metadata`, fields["metadata"]);
  return { id: part("id"), type: part("type"), name: part("name"), metadata };
}

function readTargets(reader: PlanReader, field: string, given: unknown): readonly TargetPlan[] | undefined {
  if (!Array.isArray(given)) {
    reader.wrong(field, "must be a list");
    return undefined;
  }
  return given.map((target: unknown, i) => {
    const list = typeof target === "object" && target !== null && "each" in target ? target.each : undefined;
    const each = list === undefined ? undefined : readList(reader, `${field}.${i}.each`, list);
    const inside = { ...reader, hasItem: reader.hasItem || each !== undefined };
    return { each, ...readPartyWith(inside, `${field}.${i}`, target, [...PARTY_FIELDS, "each"]) };
  });
}

const OUTCOMES: readonly RequestOutcome[] = ["success", "failure", "denied"];

/** A rule that is wrong is left out. */
function readOutcome(reader: PlanReader, field: string, given: unknown): readonly OutcomeRule[] {
  if (!Array.isArray(given)) {
    reader.wrong(field, 'must be a list of { "when": …, "is": … }');
    return [];
  }
  return given.flatMap((rule: unknown, i) => {
    const fields = readObject(reader, `${field}.${i}`, rule, ["when", "is"]);
    const when = readConditions(reader, `${field}.${i}.when`, fields["when"]);
    const is = OUTCOMES.find((name) => name === fields["is"]);
    if (!is) reader.wrong(`${field}.${i}.is`, `must be one of ${OUTCOMES.join(", ")}`);
    return when && is ? [{ when, is }] : [];
  });
}
