/** Values of `x-audit`: literals, selectors, templates, and choices by a map. In a list, the first that resolves counts. */
import { type PlanReader, readObject } from "./plan-reader.ts";
import { REDACTED } from "./secrets.ts";
import {
  isScalar,
  parseSelector,
  objectOf,
  resolve,
  type Scalar,
  type Seen,
  type Selector,
  sourceOf,
} from "./selector.ts";

/** Tried in order. Empty if the plan does not set the value. */
export type Value = readonly Part[];
export type Values = readonly (readonly [string, Value])[];

export interface Part {
  /** One scalar is a literal, one selector selects, and several make a template. */
  readonly pieces: readonly (Scalar | Selector)[];
  /** The literal for each selected value: `{ "select": "$body.op", "map": { "close": "account.closed" } }`. */
  readonly map?: ReadonlyMap<string, Scalar> | undefined;
  /** The value if the pieces do not resolve or the map has no entry for their value. */
  readonly otherwise?: Scalar | undefined;
  /** Lets the caller choose the organization. */
  readonly trustCaller?: boolean | undefined;
}

/** Parses a value. Reports and ignores a wrong part. */
export function readValue(reader: PlanReader, field: string, given: unknown): Value {
  return [given ?? []].flat().flatMap((part: unknown): Part | readonly Part[] => {
    if (typeof part === "string") return { pieces: readText(reader, field, part) };
    if (isScalar(part)) return { pieces: [part] };
    if ("select" in objectOf(part)) return readChoice(reader, field, part);
    reader.wrong(field, "must be a scalar, a selector, a template, a select, or a list of these");
    return [];
  });
}

/** Parses one selector. A wrong selector is reported and never resolves, so that the record lists it as missing. */
export function readSelector(reader: PlanReader, field: string, given: unknown, whole = false): Selector {
  const text = String(given);
  const found = parseSelector(text, { redact: reader.redact, whole });
  if (found && (found.root !== "item" || reader.hasItem)) {
    reader.selectors.push(found);
    return found;
  }
  reader.wrong(
    field,
    `has "${text}", ${found ? 'which exists only below "each"' : "which is not a selector, or selects a credential"}`,
  );
  return { text, root: "", path: [""], need: "", secret: false };
}

/** A selector inside other text. Without braces it would be sent literally. */
const SELECTOR_INSIDE = /\$((user|params|query|header|body|response|item)[.[]|item\b)/;
/** Literal braces, and a selector in braces. */
const TEMPLATE_PIECES = /(\{\{|\}\}|\{\$[^{}]*\})/;

function readText(reader: PlanReader, field: string, text: string): Part["pieces"] {
  if (/^\$(?!\$)/.test(text)) return [readSelector(reader, field, text)];
  const parts = text.includes("{$") ? text.split(TEMPLATE_PIECES) : [text.replace(/^\$\$/, "$")];
  return parts.flatMap((part, i) => {
    if (part.startsWith("{$") && part.endsWith("}")) return readSelector(reader, field, part.slice(1, -1));
    if (part === "{{" || part === "}}") return part.charAt(0);
    // A dollar sign after `$$` or a literal brace is literal.
    const isMeant = parts[i - 1] === "{{" || (i === 0 && text.startsWith("$$"));
    const rest = isMeant ? part.slice(1) : part;
    if (SELECTOR_INSIDE.test(rest))
      reader.wrong(field, `has "${text}", a selector inside other text; write it as "{$…}"`);
    return part === "" && parts.length > 1 ? [] : part;
  });
}

function readChoice(reader: PlanReader, field: string, given: unknown): Part {
  const { select, map, else: otherwise, trustCaller } = readObject(reader, field, given, CHOICE_FIELDS);
  const literals = Object.entries(readObject(reader, `${field}.map`, map)).flatMap(([key, literal]) => {
    const read = readLiteral(reader, `${field}.map.${key}`, literal);
    return read === undefined ? [] : [[key, read] as const];
  });
  return {
    pieces: [readSelector(reader, `${field}.select`, select)],
    map: map === undefined ? undefined : new Map(literals),
    otherwise: otherwise === undefined ? undefined : readLiteral(reader, `${field}.else`, otherwise),
    trustCaller: trustCaller === true,
  };
}

const CHOICE_FIELDS = ["select", "map", "else", "trustCaller"];

function readLiteral(reader: PlanReader, field: string, given: unknown): Scalar | undefined {
  const [literal, ...more] = typeof given === "string" ? readText({ ...reader, selectors: [] }, field, given) : [given];
  if (isScalar(literal) && more.length === 0) return literal;
  reader.wrong(field, "must be a literal");
  return undefined;
}

/** Every selector of a part. */
export function selectorsOf({ pieces }: Part): readonly Selector[] {
  return pieces.filter((piece) => typeof piece === "object");
}

/** Roots that the caller of the API controls. */
const FROM_CALLER = /^(header|query|body|params|item)$/;

/** True if the value contains or depends on data from the caller. */
export function isFromCaller(part: Part): boolean {
  return selectorsOf(part).some(({ root }) => FROM_CALLER.test(root));
}

interface Resolved {
  readonly value: Scalar;
  /** The selectors whose values it contains, in the form of `sourceOf`. */
  readonly sources: readonly string[];
}

/** Returns the part's value, or undefined if one of its selectors finds nothing. Does not redact ids: privacy replaces them later. */
export function resolvePart(part: Part, seen: Seen, isId = false): Resolved | undefined {
  const { pieces, map, otherwise } = part;
  const found = pieces.map((piece) => {
    if (typeof piece !== "object") return piece;
    const value = resolve(piece, seen);
    return value !== undefined && piece.secret && !map && !isId ? REDACTED : value;
  });
  const whole = found.includes(undefined) ? undefined : found.length > 1 ? found.join("") : found[0];
  if (whole !== undefined && !map) return { value: whole, sources: selectorsOf(part).map(sourceOf) };
  const value = (whole === undefined ? whole : map?.get(String(whole))) ?? otherwise;
  return value === undefined ? undefined : { value, sources: [] };
}

/** The selector to report if no part of a value resolves; undefined if its absence is not reported. */
export function missingSelector([first]: Value, seen: Seen): string | undefined {
  const selectors = first ? selectorsOf(first) : [];
  const selector = selectors.find((one) => resolve(one, seen) === undefined) ?? selectors[0];
  return selector && selector.need !== "?" ? selector.text : undefined;
}

/** True if nothing else may replace the value: a required organization must not fall back to the default one. */
export function isRequired(value: Value): boolean {
  return value.some((part) => selectorsOf(part).some(({ need }) => need === "!"));
}
