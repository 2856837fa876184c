/** Compares a project with WorkOS and the lock file. Pure. */
import type { DerivedSchemas } from "./derived-schemas.ts";
import type { Lock } from "./lock.ts";
import { type ActionSchema, type RegisteredSchema, schemaBody, schemaLines } from "./schema.ts";

export interface SchemaChange {
  readonly action: string;
  readonly schema: ActionSchema;
  readonly state: "missing" | "changed";
  /** Lines with `+` or `-` in front. */
  readonly diff: readonly string[];
}

export interface SchemaComparison {
  readonly changes: readonly SchemaChange[];
  /** Correctly registered actions, with their newest version. */
  readonly current: ReadonlyMap<string, number>;
  /** Actions whose version differs in the lock file or is missing there. */
  readonly unlocked: readonly string[];
  /** Registered, but used by no route; never deleted. */
  readonly unused: readonly string[];
}

/** Compares each derived action with its newest registered schema, and its version with the lock file. */
export function compareSchemas(
  { actions }: Pick<DerivedSchemas, "actions">,
  registered: ReadonlyMap<string, RegisteredSchema>,
  lock: Lock,
): SchemaComparison {
  const changes: SchemaChange[] = [];
  const current = new Map<string, number>();
  for (const [action, schema] of actions) {
    const known = registered.get(action);
    const diff = difference(known ? schemaLines(known) : [], schemaLines(schemaBody(schema)));
    if (known && diff.length === 0) current.set(action, known.version);
    else changes.push({ action, schema, state: known ? "changed" : "missing", diff });
  }
  return {
    changes,
    current,
    unlocked: [...current].filter(([action, version]) => lock[action] !== version).map(([action]) => action),
    unused: [...registered.keys()].filter((action) => !actions.has(action)).toSorted(),
  };
}

function difference(before: readonly string[], after: readonly string[]): readonly string[] {
  const [old, now] = [new Set(before), new Set(after)];
  return [
    ...before.filter((line) => !now.has(line)).map((line) => `- ${line}`),
    ...after.filter((line) => !old.has(line)).map((line) => `+ ${line}`),
  ];
}
