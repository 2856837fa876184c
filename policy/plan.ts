/** The plan of a route: how its `x-audit` and the policy's defaults describe its records. Made once per route. */
import type { Assurance } from "../shared/record.ts";
import { type Condition, readConditions } from "./conditions.ts";
import { type Description, DESCRIPTION_FIELDS, EMPTY_DESCRIPTION, readDescription } from "./description.ts";
import { ASSURANCES } from "./options.ts";
import { type Fields, type PlanReader, readList, readName, readObject } from "./plan-reader.ts";
import { PRESETS, type PresetName } from "./presets/preset.ts";
import { objectOf, type Selector } from "./selector.ts";

export interface RoutePlan {
  /** The reason as a string, or true: the route leaves no records. */
  readonly skip: string | boolean;
  readonly assurance: Assurance;
  readonly base: Description;
  /** The first match replaces `base`. */
  readonly cases: readonly Case[];
  readonly preset: PresetName | undefined;
  /** Queries of the preset `graphql` leave no record. */
  readonly skipsQueries: boolean;
  /** Whether a request leaves a record, and how many, is known only after the response. */
  readonly isOpen: boolean;
  /** True if the request's or the response's body is needed. */
  readonly body: boolean;
  readonly responseBody: boolean;
  /** The handler does not forward the body. */
  readonly readsBodyItself: boolean;
  /** Refuses a request whose body is needed and cannot be read. Only on routes with `assurance: "required"`. */
  readonly refusesUnreadable: boolean;
  readonly selectors: readonly Selector[];
  /** The faults, each a clause that names the field; a faulty field counts as missing. */
  readonly problems: readonly string[];
}

export interface Case {
  readonly when: readonly Condition[];
  readonly skip: string | boolean;
  readonly description: Description;
}

interface PlanOptions {
  readonly assurance: Assurance;
  readonly defaults?: unknown;
  readonly redact?: readonly string[];
}

const ROUTE_FIELDS = [...DESCRIPTION_FIELDS, "skip", "cases", "preset", "queries", "assurance", "unreadable"];
const CASE_FIELDS = [...DESCRIPTION_FIELDS, "skip", "when"];

/**
 * Parses `x-audit`; `false` means `skip`. `handler` is the handler in the route's `x-zuplo-route`: a route of Zuplo's own MCP
 * server has the preset `mcp` unless it says otherwise.
 */
export function makePlan(xAudit: unknown, options: PlanOptions, handler?: unknown): RoutePlan {
  const problems: string[] = [];
  const selectors: Selector[] = [];
  const reader: PlanReader = {
    wrong: (field, clause) => void problems.push(`"${field}" ${clause}`),
    selectors,
    redact: options.redact,
    hasItem: false,
  };
  const route = readObject(reader, "x-audit", xAudit === false ? { skip: true } : xAudit, ROUTE_FIELDS);
  const defaults = readObject(reader, "defaults", options.defaults, ROUTE_FIELDS);
  const merged: Fields = { ...defaults, ...route };
  const assurance = readName(reader, "assurance", merged["assurance"], ASSURANCES) ?? options.assurance;
  const metadata = {
    ...readObject(reader, "metadata", defaults["metadata"]),
    ...readObject(reader, "metadata", route["metadata"]),
  };
  const base = readDescription(reader, "", { ...merged, metadata }, EMPTY_DESCRIPTION);
  const skip = readSkip(reader, "skip", merged["skip"]);
  const cases = readCases(reader, merged["cases"], base, assurance);
  const mcpServer = isMcpServer(handler);
  const preset = readPreset(reader, merged["preset"], mcpServer);
  const skipsQueries = merged["queries"] === "skip" && preset === "graphql";
  if (merged["queries"] !== undefined && !skipsQueries) {
    reader.wrong("queries", 'must be "skip", beside the preset "graphql"');
  }
  const roots = new Set(selectors.map(({ root }) => root));
  return {
    skip,
    assurance,
    base,
    cases,
    preset,
    skipsQueries,
    isOpen: Boolean(preset ?? base.each) || cases.some((one) => one.skip !== false || one.description.each),
    body: roots.has("body") || preset !== undefined,
    responseBody: roots.has("response.body") || preset !== undefined,
    readsBodyItself: mcpServer,
    refusesUnreadable: readUnreadable(reader, merged["unreadable"], assurance),
    selectors,
    problems,
  };
}

function readSkip(reader: PlanReader, field: string, given: unknown): string | boolean {
  if (typeof given === "string" || typeof given === "boolean") return given;
  if (given !== undefined) reader.wrong(field, "must be the reason as text, true, or false");
  return false;
}

function readUnreadable(reader: PlanReader, given: unknown, assurance: Assurance): boolean {
  if (given === undefined) return false;
  if (given !== "refuse") reader.wrong("unreadable", 'must be "refuse"');
  else if (assurance !== "required") reader.wrong("unreadable", 'needs "assurance": "required"');
  return given === "refuse" && assurance === "required";
}

/** A case with wrong conditions is ignored, because it would apply to other requests than intended. */
function readCases(reader: PlanReader, given: unknown, base: Description, assurance: Assurance): readonly Case[] {
  let needsResponse = false;
  const cases = readList(reader, "cases", given ?? [], (one, at): Case[] => {
    const fields = readObject(reader, at, one ?? [], CASE_FIELDS);
    const inside = { ...reader, hasItem: base.each !== undefined || fields["each"] !== undefined };
    const when = readConditions(inside, `${at}.when`, fields["when"]);
    const description = readDescription(inside, `${at}.`, fields, base);
    let skip = readSkip(reader, `${at}.skip`, fields["skip"]);
    needsResponse ||= Boolean(when?.some(({ selector }) => selector.root.startsWith("response")));
    if (skip !== false && needsResponse && assurance === "required") {
      reader.wrong(`${at}.skip`, "depends on the response, and the intent of a required route is sent before it");
      skip = false;
    }
    return when ? [{ when, skip, description }] : [];
  });
  return cases ?? [];
}

function isMcpServer(handler: unknown): boolean {
  const { export: exported, module } = objectOf(handler);
  return exported === "mcpServerHandler" && module === "$import(@zuplo/runtime)";
}

function readPreset(reader: PlanReader, given: unknown, mcpServer: boolean): PresetName | undefined {
  const preset = readName(reader, "preset", given, [...PRESETS, "none"]) ?? (mcpServer && "mcp");
  return preset && preset !== "none" ? preset : undefined;
}
