/** Says what a request means: actor, action, organization, targets and metadata, from the plan and what was seen. Pure. */
import type { Credential, MetadataValue, Party } from "../shared/record.ts";
import type { PartyPlan, Plan, Value } from "./plan.ts";
import { resolve, type Scalar, type Seen, type Selector } from "./selector.ts";
import { isSecretName, REDACTED } from "./secrets.ts";

/** Values by the field of the record they stand in; the way to reach each of them for a pseudonym. */
export interface Meaning {
  action: string;
  organization?: string | undefined;
  actor: MutableParty;
  targets: MutableParty[];
  metadata: Record<string, MetadataValue>;
  readonly missing: string[];
  /** Values that came from a selector, for pseudonyms that name the selector. */
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
  readonly target: Party;
}

/** Resolves a plan; whatever does not resolve is named in `missing`, and nothing throws for it. */
export function describePlan(plan: Plan, seen: Seen, fallback: Fallback, redact: readonly string[] = []): Meaning {
  const missing: string[] = [];
  const origins = new Map<string, string>();
  const resolver = new Resolver(seen, redact, missing, origins);
  const action = resolver.text("action", plan.action);
  const organization = resolver.text("organization", plan.organization);
  return {
    action: action ?? fallback.action,
    // A required selector that does not resolve must not put the event into another organization's log.
    organization: organization ?? (isRequired(plan.organization) ? undefined : fallback.organization),
    actor: resolver.party("actor", plan.actor, fallback.actor),
    targets: plan.targets?.map((target, i) =>
      resolver.party(`targets.${i}`, target, { id: "unknown", type: "unknown" }),
    ) ?? [{ ...fallback.target }],
    metadata: resolver.metadata("metadata", plan.metadata) ?? {},
    missing,
    origins,
  };
}

function isRequired(value: Value | undefined): boolean {
  return value?.some((part) => "need" in part && part.need === "required") ?? false;
}

class Resolver {
  readonly #seen: Seen;
  readonly #redact: readonly string[];
  readonly #missing: string[];
  readonly #origins: Map<string, string>;

  constructor(seen: Seen, redact: readonly string[], missing: string[], origins: Map<string, string>) {
    this.#seen = seen;
    this.#redact = redact;
    this.#missing = missing;
    this.#origins = origins;
  }

  text(field: string, value: Value | undefined): string | undefined {
    const found = this.#scalar(field, value);
    return found === undefined || found === "" ? undefined : String(found);
  }

  party(field: string, plan: PartyPlan | undefined, fallback: Party): MutableParty {
    if (!plan) return { ...fallback };
    const metadata = { ...fallback.metadata, ...this.metadata(`${field}.metadata`, plan.metadata) };
    return {
      id: this.text(`${field}.id`, plan.id) ?? fallback.id,
      type: this.text(`${field}.type`, plan.type) ?? fallback.type,
      name: this.text(`${field}.name`, plan.name) ?? fallback.name,
      metadata: Object.keys(metadata).length > 0 ? metadata : undefined,
    };
  }

  metadata(field: string, plan: readonly (readonly [string, Value])[]): Record<string, MetadataValue> | undefined {
    const found = plan.flatMap(([key, value]) => {
      const scalar = this.#scalar(`${field}.${key}`, value, key);
      return scalar === undefined ? [] : [[key, scalar] as const];
    });
    return found.length > 0 ? Object.fromEntries(found) : undefined;
  }

  #scalar(field: string, value: Value | undefined, key = ""): Scalar | undefined {
    for (const part of value ?? []) {
      if ("literal" in part) return part.literal;
      const found = resolve(part, this.#seen);
      if (found === undefined) continue;
      this.#origins.set(field, part.text);
      return part.secret || isSecretName(key, this.#redact) ? REDACTED : found;
    }
    const [first] = (value ?? []) as readonly Selector[];
    if (first && first.need !== "optional") this.#missing.push(first.text);
    return undefined;
  }
}

/** The actor where the plan names none: who was authenticated, else `anonymous`. Only scalars of the user are looked at. */
export function defaultActor(user: Seen["user"]): Party {
  const { sub, data } = recordOf(user);
  if (typeof sub !== "string" && typeof sub !== "number") return { id: "anonymous", type: "anonymous" };
  const { name, role } = recordOf(data);
  return {
    id: String(sub),
    type: "user",
    ...(typeof name === "string" && name !== "" ? { name } : {}),
    ...(typeof role === "string" && role !== "" ? { metadata: { role } } : {}),
  };
}

const SCHEMES: ReadonlySet<string> = new Set(["bearer", "basic", "digest", "dpop", "hmac", "signature", "negotiate"]);

/** How the caller proved who it is: the kind of credential and the id of its key, never the credential. */
export function credentialOf(headers: Headers, user: Seen["user"]): Credential | undefined {
  const authorization = headers.get("authorization");
  const kind = authorization === null ? kindOfHeaders(headers) : kindOfScheme(authorization);
  if (kind === undefined) return undefined;
  const { keyId, key_id: keyIdSnake, apiKeyId } = recordOf(recordOf(user).data);
  const known = [keyId, keyIdSnake, apiKeyId].find((id) => typeof id === "string" && id !== "");
  const id = typeof known === "string" ? known : authorization === null ? undefined : keyIdOfJwt(authorization);
  return id === undefined ? { kind } : { kind, keyId: id };
}

function kindOfHeaders(headers: Headers): string | undefined {
  if (headers.has("x-api-key") || headers.has("api-key")) return "api_key";
  return headers.has("cookie") ? "cookie" : undefined;
}

/** Only known schemes: the first word of another header may be the secret itself. */
function kindOfScheme(authorization: string): string {
  const scheme = authorization.slice(0, Math.max(authorization.indexOf(" "), 0)).toLowerCase();
  return SCHEMES.has(scheme) ? scheme : "other";
}

/** `kid` of a JWT's header (RFC 7515, section 4.1.4), which names the issuer's key and is no secret. */
function keyIdOfJwt(authorization: string): string | undefined {
  const header = /^bearer\s+(ey[A-Za-z0-9_-]{1,1000})\./i.exec(authorization)?.[1];
  if (header === undefined) return undefined;
  try {
    const { kid } = recordOf(JSON.parse(atob(header.replaceAll("-", "+").replaceAll("_", "/"))));
    return typeof kid === "string" && /^[\w.:/+=-]{1,128}$/.test(kid) ? kid : undefined;
  } catch {
    return undefined;
  }
}

/** The value as an object whose properties may be asked for. */
export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}
