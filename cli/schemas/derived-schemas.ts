/** Derives the schema of each action from the routes of a project. Pure. */
import { EVENT_METADATA } from "../../shared/event.ts";
import { EVENT_MAX_TARGETS, METADATA_KEY_MAX_CHARS, METADATA_MAX_KEYS } from "../../shared/limits.ts";
import { OPERATOR_ACTIONS, type OperatorActionSchema } from "../../shared/operator-actions.ts";
import type { Route } from "../init/routes.ts";
import type { InspectedEvent, Inspection, MetadataTypes } from "../policy/evaluation.ts";
import { actionFault } from "./action.ts";
import type { ActionSchema } from "./schema.ts";

export interface DerivedSchemas {
  readonly actions: ReadonlyMap<string, ActionSchema>;
  /** Problems that would make an event fail, each with the route and the fix. */
  readonly problems: readonly string[];
  readonly notes: readonly string[];
}

const KEY = new RegExp(`^[a-zA-Z0-9_-]{1,${METADATA_KEY_MAX_CHARS}}$`);

/** Derives from the audited routes that are not skipped; `inspection` covers the same routes in the same order. */
export function deriveSchemas(routes: readonly Route[], inspection: Inspection): DerivedSchemas {
  const actions = new Map<string, ActionSchema>(Object.entries(OPERATOR_ACTIONS).map(ownSchema));
  const firstRoutes = new Map<string, string>();
  const problems: string[] = [];
  const notes: string[] = [];
  for (const [index, route] of routes.entries()) {
    const inspected = inspection.routes[index];
    if (route.place === "absent" || !inspected || inspected.skip) continue;
    const say = (text: string) => `${route.name} (${route.file}): ${text}`;
    problems.push(...inspected.problems.map((problem) => say(`x-audit: ${problem}`)));
    for (const event of inspected.events) {
      problems.push(...faultsOf(event).map(say));
      if (event.actionIsSelected) notes.push(say("a selector chooses the action; register others by hand"));
      const schema = schemaOf(event);
      for (const action of event.actions) {
        const known = actions.get(action);
        if (known && !sameTargets(known, schema)) problems.push(say(differentTargets(action, firstRoutes.get(action))));
        actions.set(action, known ? merge(known, schema) : schema);
        if (!known) firstRoutes.set(action, route.name);
      }
    }
  }
  for (const [action, schema] of actions) problems.push(...limitFaults(action, schema));
  return { actions, problems: [...new Set(problems)], notes: [...new Set(notes)] };
}

/** The forwarder's own events are sent the same way, so they need schemas, too. */
function ownSchema([action, { target, metadata }]: readonly [string, OperatorActionSchema]): [string, ActionSchema] {
  return [action, { targets: { [target]: {} }, actor: {}, metadata: { ...metadata, ...EVENT_METADATA } }];
}

function faultsOf({ actions, targets }: InspectedEvent): readonly string[] {
  return [
    ...actions.flatMap((action) => actionFault(action) ?? []),
    ...targets
      .filter(({ type }) => type === undefined)
      .map(() => 'a selector chooses "type" of a target; write it out'),
    ...(targets.length === 0 ? ['"targets" is empty; WorkOS wants at least one'] : []),
    ...(targets.length > EVENT_MAX_TARGETS ? [`more than ${EVENT_MAX_TARGETS} targets; WorkOS accepts no more`] : []),
  ];
}

function schemaOf({ targets, actorMetadata, metadata }: InspectedEvent): ActionSchema {
  const byType = new Map<string, MetadataTypes>();
  for (const { type, metadata: types } of targets) {
    if (type !== undefined) byType.set(type, union(byType.get(type) ?? {}, types));
  }
  // A key of the audit forwarder replaces a custom key with the same name.
  return { targets: Object.fromEntries(byType), actor: actorMetadata, metadata: { ...metadata, ...EVENT_METADATA } };
}

function sameTargets(one: ActionSchema, other: ActionSchema): boolean {
  return typesOf(one) === typesOf(other);
}

function typesOf({ targets }: ActionSchema): string {
  return Object.keys(targets).toSorted().join("\n");
}

function differentTargets(action: string, other: string | undefined): string {
  return `the action "${action}" has different target types at ${other ?? "another route"}; WorkOS wants them all in each event, so give it another action`;
}

function merge(one: ActionSchema, other: ActionSchema): ActionSchema {
  const types = [...new Set([...Object.keys(one.targets), ...Object.keys(other.targets)])];
  return {
    targets: Object.fromEntries(types.map((type) => [type, union(one.targets[type] ?? {}, other.targets[type] ?? {})])),
    actor: union(one.actor, other.actor),
    metadata: union(one.metadata, other.metadata),
  };
}

/** A key with two types may hold any type. */
function union(one: MetadataTypes, other: MetadataTypes): MetadataTypes {
  const shared = Object.keys(one).filter((key) => key in other && one[key] !== other[key]);
  return { ...one, ...other, ...Object.fromEntries(shared.map((key) => [key, "any" as const])) };
}

function limitFaults(action: string, { targets, actor, metadata }: ActionSchema): readonly string[] {
  const objects = [["metadata", metadata], ["actor metadata", actor], ...Object.entries(targets)] as const;
  return objects.flatMap(([name, types]) => {
    const keys = Object.keys(types);
    const tooMany =
      keys.length > METADATA_MAX_KEYS ? [`has ${keys.length} keys; WorkOS accepts ${METADATA_MAX_KEYS}`] : [];
    const wrong = keys
      .filter((key) => !KEY.test(key))
      .map((key) => `has the key "${key}"; WorkOS accepts 1 to 40 of A-Z a-z 0-9 _ -`);
    return [...tooMany, ...wrong].map((fault) => `action "${action}": ${name} ${fault}`);
  });
}
