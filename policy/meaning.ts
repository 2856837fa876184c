/** Says what a request means: actor, action, organization, targets and metadata, from the plan and what was seen. Pure. */
import { compact } from "../shared/compact.ts";
import type { Credential, MetadataValue, Party } from "../shared/record.ts";
import type { PartyPlan, Plan, Value, Values } from "./plan.ts";
import { recordOf, resolve, type Scalar, type Seen, sourceOf, textOf } from "./selector.ts";
import { REDACTED } from "./secrets.ts";

export interface Meaning {
  action: string;
  organization: string | undefined;
  actor: MutableParty;
  targets: MutableParty[];
  metadata: Record<string, MetadataValue>;
  /** Selectors that did not resolve. */
  readonly missing: string[];
  /** Where a field's value came from, as `sourceOf` says it. */
  readonly origins: Map<string, string>;
}

export interface MutableParty {
  id: string;
  type: string;
  name?: string | undefined;
  metadata?: Record<string, MetadataValue> | undefined;
}

/** What stands where the plan says nothing. */
export interface Fallback {
  readonly action: string;
  readonly organization?: string | undefined;
  readonly actor: Party;
  readonly targets: readonly Party[];
}

/** Stands where a party has no id or type. */
export const NOBODY: Party = { id: "unknown", type: "unknown" };

/** Where `defaultActor` takes its values from. */
const ORIGINS_OF_DEFAULTS = [
  ["actor.id", "user,sub"],
  ["actor.name", "user,data,name"],
  ["actor.metadata.role", "user,data,role"],
] as const;

/** Resolves a plan; whatever does not resolve is named in `missing`, and nothing throws for it. */
export function describePlan(plan: Plan, seen: Seen, fallback: Fallback): Meaning {
  const missing: string[] = [];
  const origins = new Map<string, string>(ORIGINS_OF_DEFAULTS);

  function scalar(field: string, value: Value): Scalar | undefined {
    for (const part of value) {
      if ("literal" in part) {
        origins.delete(field);
        return part.literal;
      }
      const found = resolve(part, seen);
      if (found === undefined) continue;
      origins.set(field, sourceOf(part));
      return part.secret ? REDACTED : found;
    }
    const [first] = value;
    if (first && "need" in first && first.need !== "?") missing.push(first.text);
    return undefined;
  }

  function text(field: string, value: Value): string | undefined {
    return textOf(scalar(field, value));
  }

  function metadata(field: string, values: Values): Record<string, MetadataValue> {
    const found = values.map(([key, value]) => [key, scalar(`${field}.${key}`, value)] as const);
    return compact(Object.fromEntries(found)) as Record<string, MetadataValue>;
  }

  function party(field: string, plan: PartyPlan, other: Party): MutableParty {
    return {
      id: text(`${field}.id`, plan.id) ?? (isRequired(plan.id) ? NOBODY : other).id,
      type: text(`${field}.type`, plan.type) ?? other.type,
      name: text(`${field}.name`, plan.name) ?? other.name,
      metadata: filled({ ...other.metadata, ...metadata(`${field}.metadata`, plan.metadata) }),
    };
  }

  return {
    action: text("action", plan.action) ?? fallback.action,
    organization:
      text("organization", plan.organization) ?? (isRequired(plan.organization) ? undefined : fallback.organization),
    actor: party("actor", plan.actor, fallback.actor),
    targets:
      plan.targets?.map((target, i) => party(`targets.${i}`, target, NOBODY)) ??
      fallback.targets.map((target) => ({ ...target })),
    metadata: metadata("metadata", plan.metadata),
    missing,
    origins,
  };
}

/** Nothing else may take its place: a required organization must not put the event into another organization's log. */
function isRequired(value: Value): boolean {
  return value.some((part) => "need" in part && part.need === "!");
}

/** The actor where the plan names none: who was authenticated, else `anonymous`. Only scalars of the user are looked at. */
export function defaultActor(user: Seen["user"]): Party {
  const { sub, data } = recordOf(user);
  const id = textOf(sub);
  if (id === undefined) return { id: "anonymous", type: "anonymous" };
  const { name, role: given } = recordOf(data);
  const role = textOf(given);
  return compact({ id, type: "user", name: textOf(name), metadata: role === undefined ? undefined : { role } });
}

/** Only known schemes: the first word of another header may be the secret itself. RFC 9110, section 16.4.1 */
const SCHEME = /^(bearer|basic|digest|dpop|negotiate) /i;

/** How the caller proved who it is: the kind of credential, and the id of its key where the auth policy tells it; never the credential. */
export function credentialOf(headers: Headers, user: Seen["user"]): Credential | undefined {
  const authorization = headers.get("authorization");
  const kind = authorization
    ? (SCHEME.exec(authorization)?.[1]?.toLowerCase() ?? "other")
    : headers.has("x-api-key")
      ? "api_key"
      : headers.has("cookie") && "cookie";
  const { keyId, key_id: otherKeyId = keyId } = recordOf(recordOf(user).data);
  return kind ? compact({ kind, keyId: textOf(otherKeyId) }) : undefined;
}

/** The value, where it has a field. */
export function filled<T extends object>(value: T): T | undefined {
  return Object.keys(value).length > 0 ? value : undefined;
}
