/** Conditions of `when`: selectors and their expected values. All conditions must hold. */
import { find, isScalar, resolve, type Seen, type Selector } from "./selector.ts";
import type { PlanReader } from "./plan-reader.ts";
import { readSelector } from "./values.ts";

export interface Condition {
  readonly selector: Selector;
  /** The value, as a string, equals one of these. */
  readonly anyOf?: readonly string[] | undefined;
  readonly exists?: boolean | undefined;
  /** Inclusive. */
  readonly min?: number | undefined;
  readonly max?: number | undefined;
}

/** Parses `when`. Returns undefined if any part is wrong, because the remaining conditions would match too many requests. */
export function readConditions(reader: PlanReader, field: string, given: unknown): readonly Condition[] | undefined {
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    reader.wrong(field, "must be an object of selectors and conditions");
    return undefined;
  }
  const conditions = Object.entries(given).map(([text, test]) => {
    const selector = readSelector(reader, field, text, true);
    const read = readTest(test);
    if (!read)
      reader.wrong(`${field}.${text}`, 'must be a scalar, a list of scalars, or an object of "exists", "min", "max"');
    return selector.root && read ? { selector, ...read } : undefined;
  });
  return conditions.includes(undefined) ? undefined : (conditions as readonly Condition[]);
}

function readTest(given: unknown): Omit<Condition, "selector"> | undefined {
  if (isScalar(given) || Array.isArray(given)) {
    const scalars: readonly unknown[] = [given].flat();
    return scalars.every(isScalar) ? { anyOf: scalars.map(String) } : undefined;
  }
  const fields = Object.entries(given ?? {});
  const isLegal = fields.length > 0 && fields.every(isLegalTest);
  return isLegal ? (Object.fromEntries(fields) as Omit<Condition, "selector">) : undefined;
}

function isLegalTest([name, value]: readonly [string, unknown]): boolean {
  return name === "exists" ? typeof value === "boolean" : ["min", "max"].includes(name) && Number.isFinite(value);
}

/** True if every condition holds. */
export function holds(conditions: readonly Condition[], seen: Seen): boolean {
  return conditions.every(({ selector, anyOf, exists, min, max }) => {
    if (exists !== undefined && exists !== (find(selector, seen) !== undefined)) return false;
    const scalar = resolve(selector, seen);
    if (anyOf && (scalar === undefined || !anyOf.includes(String(scalar)))) return false;
    if (min === undefined && max === undefined) return true;
    const number = numberOf(selector, seen);
    return number !== undefined && number >= (min ?? -Infinity) && number <= (max ?? Infinity);
  });
}

const NUMERIC = /^-?\d+(\.\d+)?$/;

/** Returns a number, also from the digits of a string: parameters, the query and headers hold only strings. */
function numberOf(selector: Selector, seen: Seen): number | bigint | undefined {
  const found = find(selector, seen);
  if (typeof found === "number" || typeof found === "bigint") return found;
  const isText = /params|query|header/.test(selector.root);
  return isText && typeof found === "string" && NUMERIC.test(found) ? Number(found) : undefined;
}
