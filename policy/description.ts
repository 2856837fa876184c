/** The part of `x-audit` that describes a record: action, organization, actor, targets, metadata and outcome rules. */
import type { RequestOutcome } from "../shared/record.ts";
import { type Condition, readConditions } from "./conditions.ts";
import { type Fields, type PlanReader, readList, readName, readObject } from "./plan-reader.ts";
import { objectOf, type Selector } from "./selector.ts";
import { isFromCaller, readSelector, readValue, type Value, type Values } from "./values.ts";

export interface Description {
  readonly action: Value;
  readonly organization: Value;
  readonly actor: PartyPlan;
  readonly targets: readonly TargetPlan[] | undefined;
  readonly metadata: Values;
  readonly outcome: readonly OutcomeRule[];
  /** The list whose elements each leave a record. */
  readonly each: Selector | undefined;
}

export interface PartyPlan {
  readonly id: Value;
  readonly type: Value;
  readonly name: Value;
  readonly metadata: Values;
}

export interface TargetPlan extends PartyPlan {
  /** The list whose elements each become a target. */
  readonly each: Selector | undefined;
}

interface OutcomeRule {
  readonly when: readonly Condition[];
  readonly is: RequestOutcome;
}

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

/**
 * Parses a description on top of another: its metadata is merged, every other field replaces the other's. `at` is the prefix of
 * field names in messages.
 */
export function readDescription(reader: PlanReader, at: string, fields: Fields, below: Description): Description {
  const each = fields["each"] === undefined ? below.each : readEach(reader, at, fields["each"]);
  const inside = withItem(reader, each);
  const read = <F extends keyof Description>(name: F, readField: Read<Description[F]>) =>
    fields[name] === undefined || fields[name] === null ? below[name] : readField(inside, at + name, fields[name]);
  return {
    each,
    action: read("action", readAction),
    organization: read("organization", readValue),
    actor: read("actor", readParty),
    targets: read("targets", readTargets),
    outcome: read("outcome", readOutcome),
    // A later entry with the same name wins.
    metadata: [...new Map([...below.metadata, ...readValues(inside, `${at}metadata`, fields["metadata"])])],
  };
}

function readEach(reader: PlanReader, at: string, given: unknown): Selector | undefined {
  const field = `${at}each`;
  if (typeof given === "string") return readSelector(reader, field, given, true);
  reader.wrong(field, "must be a selector of a list");
  return undefined;
}

function withItem(reader: PlanReader, each: Selector | undefined): PlanReader {
  return { ...reader, hasItem: reader.hasItem || each !== undefined };
}

/** The caller must not choose the action: it could flood the dead letters, or forge a registered action. */
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

function readParty(reader: PlanReader, field: string, given: unknown, known = PARTY_FIELDS): PartyPlan {
  const fields = readObject(reader, field, given, known);
  const part = (name: string) => readValue(reader, `${field}.${name}`, fields[name]);
  const metadata = readValues(reader, `${field}.metadata`, fields["metadata"]);
  return { id: part("id"), type: part("type"), name: part("name"), metadata };
}

function readTargets(reader: PlanReader, field: string, given: unknown): readonly TargetPlan[] | undefined {
  return readList(reader, field, given, (target, at) => {
    const list = objectOf(target)["each"];
    const each = list === undefined ? undefined : readEach(reader, `${at}.`, list);
    return [{ each, ...readParty(withItem(reader, each), at, target, [...PARTY_FIELDS, "each"]) }];
  });
}

/** The outcomes that a rule or the user's code may set. */
export const OUTCOMES: readonly RequestOutcome[] = ["success", "failure", "denied"];

/** A wrong rule is ignored. */
function readOutcome(reader: PlanReader, field: string, given: unknown): readonly OutcomeRule[] {
  const rules = readList(reader, field, given, (rule, at): OutcomeRule[] => {
    const fields = readObject(reader, at, rule, ["when", "is"]);
    const when = readConditions(reader, `${at}.when`, fields["when"]);
    const is = readName(reader, `${at}.is`, fields["is"] ?? "", OUTCOMES);
    return when && is ? [{ when, is }] : [];
  });
  return rules ?? [];
}
