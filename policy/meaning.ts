/** Determines the meaning of a part of a request: actor, action, organization, targets, metadata and outcome. Pure. */
import { type Compact, compact } from "../shared/compact.ts";
import { EVENT_MAX_TARGETS } from "../shared/limits.ts";
import type { Credential, MetadataValue, Party, RequestOutcome } from "../shared/record.ts";
import { isIdField } from "./privacy.ts";
import { holds } from "./conditions.ts";
import type { PartyPlan, TargetPlan } from "./description.ts";
import type { RequestPart } from "./request-parts.ts";
import type { Omittable } from "./options.ts";
import { itemsOf, objectOf, type Scalar, type Seen, textOf } from "./selector.ts";
import {
  isFromCaller,
  isRequired,
  missingSelector,
  type Part,
  resolvePart,
  type Value,
  type Values,
} from "./values.ts";

export interface Meaning {
  action: string;
  organization: string | undefined;
  actor: MutableParty;
  targets: MutableParty[];
  metadata: Record<string, MetadataValue>;
  /** Undefined: the status decides. */
  outcome: RequestOutcome | undefined;
  /** Selectors that did not resolve. */
  readonly missing: string[];
  /** Lists that were cut, each with the number of omitted elements. */
  readonly truncated: string[];
  /** The source of each field's value, in the form of `sourceOf`. */
  readonly origins: Map<string, readonly string[]>;
}

export interface MutableParty {
  id: string;
  type: string;
  name?: string | undefined;
  metadata?: Record<string, MetadataValue> | undefined;
}

/** Applies to each field that the plan does not name. */
export interface Fallback {
  readonly action: string;
  readonly organization?: string | undefined;
  readonly actor: Party;
  readonly targets: readonly Party[];
}

/** Replaces a party without an id or type. */
export const NOBODY: Party = { id: "unknown", type: "unknown" };

type IsUsable = (found: Scalar, part: Part) => boolean | undefined;

/** The sources of the values of `defaultActor`. */
const ORIGINS_OF_DEFAULTS = [
  ["actor.id", ["user,sub"]],
  ["actor.name", ["user,data,name"]],
  ["actor.metadata.role", ["user,data,role"]],
  ["actor.metadata.acting_party", ["user,data,act,sub"]],
] as const satisfies readonly (readonly [string, readonly string[]])[];

/** Resolves a part's description. Selectors that find nothing are listed in `missing`; nothing throws. `hashes` become metadata. */
export function describePart(
  { seen, description, reading, batch, missingList }: RequestPart,
  fallback: Fallback,
  hashes: Readonly<Record<string, string>> = {},
): Meaning {
  const missing: string[] = [...(reading?.missing ?? []), ...(missingList ? [missingList] : [])];
  const truncated: string[] = [];
  const origins = new Map<string, readonly string[]>(ORIGINS_OF_DEFAULTS);

  function scalar(field: string, value: Value, at: Seen, isUsable: IsUsable = () => true) {
    for (const part of value) {
      const found = resolvePart(part, at, isIdField(field));
      if (!found || !isUsable(found.value, part)) continue;
      if (found.sources.length > 0) origins.set(field, found.sources);
      else origins.delete(field);
      return found.value;
    }
    const name = missingSelector(value, at);
    // A missing element is reported with the name of its list.
    if (name !== undefined && !(missingList !== undefined && name.startsWith("$item"))) missing.push(name);
    return undefined;
  }

  const text = (field: string, value: Value, at: Seen, isUsable: IsUsable = () => true) =>
    textOf(scalar(field, value, at, (found, part) => found !== "" && isUsable(found, part)));

  function metadata(field: string, values: Values, at: Seen): Record<string, MetadataValue> {
    const found = values.map(([key, value]) => [key, scalar(`${field}.${key}`, value, at)] as const);
    return compact(Object.fromEntries(found)) as Record<string, MetadataValue>;
  }

  function party(field: string, plan: PartyPlan, other: Party, at: Seen): MutableParty {
    return {
      id: text(`${field}.id`, plan.id, at) ?? (isRequired(plan.id) ? NOBODY : other).id,
      type: text(`${field}.type`, plan.type, at) ?? other.type,
      name: text(`${field}.name`, plan.name, at) ?? other.name,
      metadata: filled({ ...other.metadata, ...metadata(`${field}.metadata`, plan.metadata, at) }),
    };
  }

  function targets(plans: readonly TargetPlan[]): MutableParty[] {
    // Each entry has room for at least one, so that a long list does not displace the others.
    let room = Math.max(EVENT_MAX_TARGETS - plans.length, 0);
    const found: MutableParty[] = [];
    for (const plan of plans) {
      const places = plan.each ? elementsOf(plan.each, seen, missing) : [seen];
      const taken = places.slice(0, room + 1);
      room -= taken.length - 1;
      if (taken.length < places.length) truncated.push(`targets:+${places.length - taken.length}`);
      for (const place of taken) found.push(party(`targets.${found.length}`, plan, NOBODY, place));
    }
    return found;
  }

  const { organization, ...said } = description;
  // Data from an anonymous or refused caller must not choose the organization whose log gets the event.
  const mayChoose: IsUsable = (_found, part) => !isFromCaller(part) || part.trustCaller || isAccepted(seen);
  const own = { ...reading?.metadata, ...hashes, ...(batch && { batch_index: batch.index, batch_size: batch.size }) };
  const rule = said.outcome.find(({ when }) => holds(when, seen));
  return {
    action: text("action", said.action, seen) ?? fallback.action,
    organization:
      text("organization", organization, seen, mayChoose) ??
      (isRequired(organization) ? undefined : fallback.organization),
    actor: party("actor", said.actor, fallback.actor, seen),
    targets: said.targets ? targets(said.targets) : fallback.targets.map((target) => ({ ...target })),
    // Our keys come first, because a limit drops the last keys, and replace others with the same name.
    metadata: { ...own, ...metadata("metadata", said.metadata, seen), ...own },
    outcome: rule?.is ?? reading?.outcome,
    missing,
    truncated,
    origins,
  };
}

/** True for a signed-in caller whose request the API accepted. */
function isAccepted({ user, response }: Seen): boolean {
  return textOf(objectOf(user)["sub"]) !== undefined && response !== undefined && response.status < 400;
}

/** The input of selectors for each element of a target's list. */
function elementsOf(each: NonNullable<TargetPlan["each"]>, seen: Seen, missing: string[]): readonly Seen[] {
  const items = itemsOf(each, seen);
  if (items.length > 0) return items.map((item) => ({ ...seen, item }));
  if (each.need !== "?") missing.push(each.text);
  return [{ ...seen, item: undefined }];
}

/**
 * The actor if the plan names none: the authenticated user, or `anonymous`. The metadata names a party that acts for the user (the
 * `act` claim, RFC 8693, section 4.1) and the client. Only scalars of the user are read.
 */
export function defaultActor(user: Seen["user"], omit: ReadonlySet<Omittable>): Party {
  const { sub, data } = objectOf(user);
  const id = textOf(sub);
  if (id === undefined) return { id: "anonymous", type: "anonymous" };
  const { name, role, act, azp, client_id: clientId } = objectOf(data);
  const metadata = {
    role: textOf(role),
    acting_party: textOf(objectOf(act)["sub"]),
    client_id: textOf(azp) ?? textOf(clientId),
  };
  const shown = { name: textOf(name), metadata: filled(without(omit, metadata)) };
  return { id, type: "user", ...without(omit, shown) };
}

/** The fields that have a value, except those that the option `omit` names. */
export function without<T extends object>(omit: ReadonlySet<Omittable>, fields: T): Compact<Partial<T>> {
  const kept = Object.entries(fields).filter(([name]) => !omit.has(name as Omittable));
  return compact(Object.fromEntries(kept)) as Compact<Partial<T>>;
}

/** Only known schemes: the first word of another header may be the secret itself. RFC 9110, section 16.4.1 */
const SCHEME = /^(bearer|basic|digest|dpop|negotiate) /i;

/** How the caller authenticated: the kind of credential, and the key's id if the auth policy names it. Never the credential. */
export function credentialOf(headers: Headers, user: Seen["user"]): Credential | undefined {
  const { apiKeyId, data } = objectOf(user);
  const keyOfGateway = textOf(apiKeyId);
  // Zuplo's API-key policy reads its key from the `Authorization` header.
  if (keyOfGateway !== undefined) return { kind: "api_key", keyId: keyOfGateway };
  const authorization = headers.get("authorization");
  const kind = authorization
    ? (SCHEME.exec(authorization)?.[1]?.toLowerCase() ?? "other")
    : headers.has("x-api-key")
      ? "api_key"
      : headers.has("cookie") && "cookie";
  const { keyId, key_id: otherKeyId = keyId } = objectOf(data);
  return kind ? compact({ kind, keyId: textOf(otherKeyId) }) : undefined;
}

/** Returns the value, or undefined if it is empty. */
export function filled<T extends object>(value: T): T | undefined {
  return Object.keys(value).length > 0 ? value : undefined;
}
