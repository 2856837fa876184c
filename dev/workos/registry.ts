/** Registered actions and the immutable versions of their schemas. */
import type { ErrorObject, ValidateFunction } from "ajv";
import { compileSchema, type SchemaDto } from "../../cli/workos/event-schema.ts";

interface SchemaVersion {
  readonly id: string;
  readonly version: number;
  readonly dto: SchemaDto;
  readonly created_at: string;
}

interface RegisteredAction {
  readonly id: string;
  readonly name: string;
  readonly versions: readonly [SchemaVersion, ...SchemaVersion[]];
}

type Verdict = "accepted" | "unknown_action" | "unknown_version" | readonly ErrorObject[];

export class Registry {
  readonly #actions = new Map<string, RegisteredAction>();
  readonly #judges = new Map<string, ValidateFunction>();

  /** Adds the next version of an action's schema; creates a missing action (docs, Create Schema). */
  register(name: string, dto: SchemaDto, createdAt: string): SchemaVersion {
    const known = this.#actions.get(name);
    const version = (known?.versions.length ?? 0) + 1;
    const id = known?.id ?? `ala_${String(this.#actions.size + 1).padStart(26, "0")}`;
    const added: SchemaVersion = { id: `als_${id.slice(-12)}_${version}`, version, dto, created_at: createdAt };
    this.#actions.set(name, { id, name, versions: known ? [...known.versions, added] : [added] });
    return added;
  }

  /** All actions in order of creation. */
  actions(): RegisteredAction[] {
    return [...this.#actions.values()];
  }

  get isEmpty(): boolean {
    return this.#actions.size === 0;
  }

  find(name: string): RegisteredAction | undefined {
    return this.#actions.get(name);
  }

  /**
   * Validates an event by the version it names. Without a version, version 1 applies, not the newest: events of a re-registered
   * action failed in production until they named their version (dust-tt/dust#26831).
   */
  judge(event: { readonly action: string; readonly version?: number }, closed: boolean): Verdict {
    const action = this.#actions.get(event.action);
    if (!action) return "unknown_action";
    const version = action.versions[(event.version ?? 1) - 1];
    if (!version) return "unknown_version";
    const key = `${version.id}:${closed}`;
    const validate = this.#judges.get(key) ?? compileSchema(version.dto, closed);
    this.#judges.set(key, validate);
    return validate(event) ? "accepted" : (validate.errors ?? []);
  }

  clear(): void {
    this.#actions.clear();
    this.#judges.clear();
  }
}

/** A schema as WorkOS shows it (AuditLogSchemaJson). */
export function showSchema({ version, dto, created_at }: SchemaVersion): object {
  return { object: "audit_log_schema", version, ...dto, created_at };
}

/** An action as WorkOS shows it, with its newest schema (AuditLogActionJson). */
export function showAction({ name, versions }: RegisteredAction): object {
  const newest = versions.at(-1) ?? versions[0];
  return {
    object: "audit_log_action",
    name,
    schema: showSchema(newest),
    created_at: versions[0].created_at,
    updated_at: newest.created_at,
  };
}
