/** A route's plan: what its `x-audit`, with the policy's defaults below it, says of its records. Made once per route. */
import type { Assurance } from "../shared/record.ts";
import { ASSURANCES } from "./options.ts";
import { isScalar, parseSelector, type Scalar, type Selector } from "./selector.ts";

/** Literals and selectors, tried in order. */
export type Value = readonly (Selector | { readonly literal: Scalar })[];

export interface PartyPlan {
  readonly id?: Value;
  readonly type?: Value;
  readonly name?: Value;
  readonly metadata: readonly (readonly [string, Value])[];
}

export interface Plan {
  readonly skip: boolean;
  readonly assurance: Assurance;
  readonly action?: Value;
  readonly organization?: Value;
  readonly actor?: PartyPlan;
  readonly targets?: readonly PartyPlan[];
  readonly metadata: readonly (readonly [string, Value])[];
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

const FIELDS: ReadonlySet<string> = new Set([
  "action",
  "organization",
  "actor",
  "targets",
  "metadata",
  "assurance",
  "skip",
]);
const PARTY_FIELDS: ReadonlySet<string> = new Set(["id", "type", "name", "metadata"]);

/** Reads `x-audit`; `false` for it means `skip`. */
export function makePlan(xAudit: unknown, options: PlanOptions): Plan {
  const reader = new PlanReader(options.redact ?? []);
  const route = reader.object("x-audit", xAudit === false ? { skip: true } : xAudit);
  const fields: Readonly<Record<string, unknown>> = { ...reader.object("defaults", options.defaults), ...route };
  reader.refuseUnknown("x-audit", fields, FIELDS);
  const metadata = [
    ...reader.values("defaults.metadata", reader.object("defaults", options.defaults)["metadata"]),
    ...reader.values("metadata", route["metadata"]),
  ];
  const action = reader.value("action", fields["action"]);
  const organization = reader.value("organization", fields["organization"]);
  const actor = fields["actor"] === undefined ? undefined : reader.party("actor", fields["actor"]);
  const targets = reader.targets(fields["targets"]);
  return {
    skip: reader.flag("skip", fields["skip"]),
    assurance: reader.assurance(fields["assurance"], options.assurance),
    ...(action ? { action } : {}),
    ...(organization ? { organization } : {}),
    ...(actor ? { actor } : {}),
    ...(targets ? { targets } : {}),
    // A later entry of the same name wins.
    metadata: [...new Map(metadata)],
    body: reader.roots.has("body"),
    responseBody: reader.roots.has("response.body"),
    problems: reader.problems,
  };
}

class PlanReader {
  readonly problems: string[] = [];
  readonly roots = new Set<string>();
  readonly #redact: readonly string[];

  constructor(redact: readonly string[]) {
    this.#redact = redact;
  }

  object(field: string, given: unknown): Readonly<Record<string, unknown>> {
    if (given === undefined || given === null) return {};
    if (typeof given === "object" && !Array.isArray(given)) return given as Readonly<Record<string, unknown>>;
    this.#problem(field, "must be an object");
    return {};
  }

  refuseUnknown(field: string, given: Readonly<Record<string, unknown>>, known: ReadonlySet<string>): void {
    for (const name of Object.keys(given)) {
      if (!known.has(name)) this.#problem(`${field}.${name}`, `is not known; use ${[...known].join(", ")}`);
    }
  }

  flag(field: string, given: unknown): boolean {
    if (given !== undefined && typeof given !== "boolean") this.#problem(field, "must be true or false");
    return given === true;
  }

  assurance(given: unknown, fallback: Assurance): Assurance {
    const found = ASSURANCES.find((name) => name === given);
    if (given !== undefined && !found) this.#problem("assurance", `must be one of ${ASSURANCES.join(", ")}`);
    return found ?? fallback;
  }

  value(field: string, given: unknown): Value | undefined {
    if (given === undefined || given === null) return undefined;
    const parts = (Array.isArray(given) ? given : [given]) as readonly unknown[];
    const value = parts.flatMap((part) => this.#part(field, part));
    return value.length > 0 ? value : undefined;
  }

  values(field: string, given: unknown): readonly (readonly [string, Value])[] {
    return Object.entries(this.object(field, given)).flatMap(([key, part]) => {
      const value = this.value(`${field}.${key}`, part);
      return value ? [[key, value] as const] : [];
    });
  }

  party(field: string, given: unknown): PartyPlan {
    const fields = this.object(field, given);
    this.refuseUnknown(field, fields, PARTY_FIELDS);
    const value = (name: "id" | "type" | "name") => {
      const found = this.value(`${field}.${name}`, fields[name]);
      return found ? { [name]: found } : {};
    };
    const metadata = this.values(`${field}.metadata`, fields["metadata"]);
    return { ...value("id"), ...value("type"), ...value("name"), metadata };
  }

  targets(given: unknown): readonly PartyPlan[] | undefined {
    if (given === undefined || given === null) return undefined;
    if (!Array.isArray(given)) {
      this.#problem("targets", "must be a list");
      return undefined;
    }
    return given.map((target: unknown, i) => this.party(`targets.${i}`, target));
  }

  #part(field: string, part: unknown): Value {
    if (typeof part === "string" && part.startsWith("$$")) return [{ literal: part.slice(1) }];
    if (typeof part === "string" && part.startsWith("$")) {
      const selector = parseSelector(part, this.#redact);
      if (typeof selector !== "string") {
        this.roots.add(selector.root);
        return [selector];
      }
      this.#problem(field, `has a wrong selector: ${selector}`);
      // Never resolves, so that the record says what is missing.
      return [{ text: part, root: "query", path: [], need: "normal", secret: false }];
    }
    if (isScalar(part)) return [{ literal: part }];
    this.#problem(field, "must be a text, a number, true, false, a selector, or a list of these");
    return [];
  }

  #problem(field: string, clause: string): void {
    this.problems.push(`"${field}" ${clause}`);
  }
}
