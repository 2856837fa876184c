/** A route's plan: what its `x-audit`, with the policy's defaults below it, says of its records. Made once per route. */
import type { Assurance } from "../shared/record.ts";
import { ASSURANCES } from "./options.ts";
import { isScalar, parseSelector, type Scalar, type Selector } from "./selector.ts";

/** Literals and selectors, tried in order. */
export type Value = readonly (Selector | { readonly literal: Scalar })[];
export type Values = readonly (readonly [string, Value])[];

export interface PartyPlan {
  readonly id: Value;
  readonly type: Value;
  readonly name: Value;
  readonly metadata: Values;
}

export interface Plan {
  readonly skip: boolean;
  readonly assurance: Assurance;
  /** An empty value is one that the plan does not name. */
  readonly action: Value;
  readonly organization: Value;
  readonly actor: PartyPlan;
  readonly targets: readonly PartyPlan[] | undefined;
  readonly metadata: Values;
  /** A selector needs the request's or the response's body. */
  readonly body: boolean;
  readonly responseBody: boolean;
  /** What is wrong with it, each a clause that names the field; the field is then treated as missing. */
  readonly problems: readonly string[];
}

export interface PlanOptions {
  readonly assurance: Assurance;
  readonly defaults?: unknown;
  readonly redact?: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;

const FIELDS = ["action", "organization", "actor", "targets", "metadata", "assurance", "skip"];
const PARTY_FIELDS = ["id", "type", "name", "metadata"];

/** Reads `x-audit`; `false` for it means `skip`. */
export function makePlan(xAudit: unknown, options: PlanOptions): Plan {
  const problems: string[] = [];
  const roots = new Set<string>();
  const wrong = (field: string, clause: string) => void problems.push(`"${field}" ${clause}`);

  function object(field: string, given: unknown, known?: readonly string[]): Fields {
    const isObject = typeof given === "object" && !Array.isArray(given);
    if (given !== undefined && !isObject) wrong(field, "must be an object");
    const fields = isObject ? { ...given } : {};
    for (const name of Object.keys(fields)) {
      if (known && !known.includes(name)) wrong(`${field}.${name}`, "is not known");
    }
    return fields;
  }

  function value(field: string, given: unknown): Value {
    return [given ?? []].flat().flatMap((part) => {
      if (typeof part === "string" && /^\$(?!\$)/.test(part)) return selector(field, part);
      if (isScalar(part)) return { literal: typeof part === "string" ? part.replace(/^\$\$/, "$") : part };
      wrong(field, "must be a scalar, a selector, or a list of these");
      return [];
    });
  }

  function selector(field: string, text: string): Selector {
    const found = parseSelector(text, options.redact);
    if (!found) wrong(field, `has "${text}", no selector or one of a credential`);
    roots.add(found?.root ?? "");
    // A wrong one never resolves, so that the record says what is missing.
    return found ?? { text, root: "", path: [""], need: "", secret: false };
  }

  function values(field: string, given: unknown): Values {
    return Object.entries(object(field, given)).map(([key, one]) => [key, value(`${field}.${key}`, one)]);
  }

  function party(field: string, given: unknown): PartyPlan {
    const fields = object(field, given, PARTY_FIELDS);
    const part = (name: string) => value(`${field}.${name}`, fields[name]);
    const metadata = values(`${field}.metadata`, fields["metadata"]);
    return { id: part("id"), type: part("type"), name: part("name"), metadata };
  }

  const route = object("x-audit", xAudit === false ? { skip: true } : xAudit, FIELDS);
  const defaults = object("defaults", options.defaults, FIELDS);
  const { action, organization, actor, targets, assurance, skip = false }: Fields = { ...defaults, ...route };
  if (typeof skip !== "boolean") wrong("skip", "must be true or false");
  const level = ASSURANCES.find((name) => name === assurance);
  if (assurance !== undefined && !level) wrong("assurance", `must be one of ${ASSURANCES.join(", ")}`);
  if (targets !== undefined && !Array.isArray(targets)) wrong("targets", "must be a list");
  return {
    skip: skip === true,
    assurance: level ?? options.assurance,
    action: value("action", action),
    organization: value("organization", organization),
    actor: party("actor", actor),
    targets: Array.isArray(targets) ? targets.map((target, i) => party(`targets.${i}`, target)) : undefined,
    // A later entry of the same name wins.
    metadata: [...new Map([...values("metadata", defaults["metadata"]), ...values("metadata", route["metadata"])])],
    body: roots.has("body"),
    responseBody: roots.has("response.body"),
    problems,
  };
}
