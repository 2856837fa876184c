/** Explains a project's options and `x-audit` before any request; the CLI runs this in a separate process. Pure. */
import { BODY_METADATA, RESPONSE_BODY_METADATA } from "./body.ts";
import type { Description, PartyPlan } from "./description.ts";
import { defaultAction } from "./request-records.ts";
import { checkOptions, type Options } from "./options.ts";
import { makePlan, type RoutePlan } from "./plan.ts";
import { PRESET_FACTS } from "./presets/facts.ts";
import type { PresetName } from "./presets/preset.ts";
import { makePrivacySettings } from "./privacy.ts";
import { isScalar, parseSelector, type Scalar, type Selector } from "./selector.ts";
import { type Part, selectorsOf, type Value } from "./values.ts";

interface ProjectToInspect {
  /** Options of the policy's entry, with variables resolved. */
  readonly options: unknown;
  readonly routes: readonly RouteToInspect[];
}

export interface RouteToInspect {
  readonly path: string;
  readonly methods: readonly string[];
  readonly operationId?: unknown;
  readonly xAudit?: unknown;
  /** `x-zuplo-route.handler`: Zuplo's own MCP server has a preset. */
  readonly handler?: unknown;
}

/** `any`: known only during a request. */
type ValueType = "string" | "number" | "boolean" | "any";
type MetadataTypes = Readonly<Record<string, ValueType>>;

interface InspectedTarget {
  /** Absent if a selector chooses it. */
  readonly type?: string;
  readonly metadata: MetadataTypes;
}

/** One kind of event that a route can leave. */
interface InspectedEvent {
  /** Every action that the configuration names. */
  readonly actions: readonly string[];
  /** A selector of the user or the response chooses the action, so there may be more. */
  readonly actionIsSelected: boolean;
  readonly targets: readonly InspectedTarget[];
  readonly actorMetadata: MetadataTypes;
  readonly metadata: MetadataTypes;
}

interface InspectedRoute {
  /** The whole route leaves no records. */
  readonly skip: boolean;
  /** The reason, if `skip` gives one. */
  readonly reason?: string;
  /** The reasons of cases that leave no record; true for a case without one. */
  readonly caseSkips: readonly (string | true)[];
  readonly preset?: PresetName;
  readonly problems: readonly string[];
  /** Allowed, but worth pointing out every time. */
  readonly warnings: readonly string[];
  /** Of the route itself, its cases and its preset. */
  readonly events: readonly InspectedEvent[];
}

interface Inspection {
  /** As the policy names them in its log, plus invalid names in `pseudonymize`. */
  readonly optionProblems: readonly string[];
  /** In the given order. */
  readonly routes: readonly InspectedRoute[];
}

/** Inspects a project; never throws, and reports what is wrong. */
export function inspect({ options: given, routes }: ProjectToInspect): Inspection {
  const { options, problems } = checkOptions(given);
  return {
    optionProblems: [...problems, ...privacyProblems(options)],
    routes: routes.map((route) => inspectRoute(route, options)),
  };
}

function inspectRoute(route: RouteToInspect, options: Options): InspectedRoute {
  const { path, methods, operationId, xAudit, handler } = route;
  const plan = makePlan(xAudit, options, handler);
  const { skip, cases, preset, problems } = plan;
  const fallbacks = methods.map((method) => defaultAction(operationId, method.toUpperCase(), path));
  const events = eventsOf(plan, fallbacks);
  const isUuid = events.some(({ actions }) => actions.some((action) => UUID.test(action)));
  const uuidWarning = isUuid ? ['"action" is a UUID, because the operation id is one; set "action" in x-audit'] : [];
  return {
    skip: skip !== false,
    ...(typeof skip === "string" ? { reason: skip } : {}),
    caseSkips: cases.flatMap((one) => (one.skip === false ? [] : [one.skip])),
    ...(preset ? { preset } : {}),
    problems: [...problems, ...routeProblems(plan, route)],
    warnings: [...trustWarnings(plan), ...uuidWarning],
    events,
  };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** `{name}`, and `:name` in a URL pattern. */
const PATH_PARAMETER = /\{([^{}]+)\}|:(\w+)/g;

/** Selectors that can never resolve on this route. */
function routeProblems(plan: RoutePlan, { path, methods }: RouteToInspect): readonly string[] {
  const parameters = new Set([...path.matchAll(PATH_PARAMETER)].map(([, name, other]) => name ?? other));
  const hasBody = methods.some((method) => !/^(get|head)$/i.test(method));
  const problems = plan.selectors.flatMap(({ root, path: [name = ""], text }) => {
    if (root === "params" && name && !parameters.has(name)) return [`"${text}" is not a parameter of the path ${path}`];
    return root === "body" && !hasBody ? [`"${text}" never resolves, because GET and HEAD have no body`] : [];
  });
  const targets = descriptionsOf(plan).flatMap((one) => one.targets ?? []);
  const withoutId = targets.some(({ id }) => id.length === 0) ? ['"targets" has a target without "id"'] : [];
  return [...new Set([...problems, ...withoutId])];
}

function trustWarnings(plan: RoutePlan): readonly string[] {
  const trusted = descriptionsOf(plan).flatMap(({ organization }) =>
    organization.flatMap((part) => (part.trustCaller ? selectorsOf(part).map(({ text }) => text) : [])),
  );
  return [...new Set(trusted)].map(
    (text) => `"organization" trusts the caller: whoever sends "${text}" chooses whose log the event lands in`,
  );
}

function descriptionsOf({ base, cases }: RoutePlan): readonly Description[] {
  return [base, ...cases.filter(({ skip }) => skip === false).map(({ description }) => description)];
}

/** Fields that can become pseudonyms, besides selectors. */
const FIELD =
  /^((actor|targets(\.\d+)?)\.(\*|id|type|name|metadata\..+)|metadata\..+|(geo|credential)\..+|ip|userAgent|requestId|organization)$/;

/** Inspection hides nothing. */
const noHash = () => Promise.resolve(new Uint8Array());

function privacyProblems(options: Options): readonly string[] {
  const { problem } = makePrivacySettings(options, { hmac: noHash, sha256: noHash });
  const unknown = options.pseudonymize.filter((name) => !FIELD.test(name) && !parseSelector(name));
  return [
    ...(problem === undefined ? [] : [problem]),
    ...unknown.map((name) => `invalid_option: "pseudonymize" has "${name}", which is neither a field nor a selector`),
  ];
}

function eventsOf(plan: RoutePlan, fallbacks: readonly string[]): readonly InspectedEvent[] {
  const facts = plan.preset && PRESET_FACTS[plan.preset];
  const events = descriptionsOf(plan).flatMap((description): readonly InspectedEvent[] => {
    const isBatch = facts !== undefined || description.each !== undefined;
    const own: MetadataTypes = {
      ...facts?.metadata,
      ...(isBatch && BATCH_METADATA),
      ...(plan.body && BODY_METADATA),
      ...(plan.responseBody && RESPONSE_BODY_METADATA),
    };
    const kinds = facts?.events.map(({ action, target }) => ({ actions: [action], target }));
    return (kinds ?? [{ actions: fallbacks, target: "route" }]).map(({ actions, target }) => ({
      ...actionsOf(description.action, actions),
      targets: description.targets?.map(inspectTarget) ?? [{ type: target, metadata: {} }],
      // The default actor's metadata, which a plan adds to.
      actorMetadata: { ...ACTOR_METADATA, ...typesOf(description.actor.metadata) },
      metadata: { ...typesOf(description.metadata), ...own },
    }));
  });
  return [...new Map(events.map((event) => [JSON.stringify(event), event])).values()];
}

const ACTOR_METADATA: MetadataTypes = {
  role: "string",
  acting_party: "string",
  client_id: "string",
  known: "string",
};
const BATCH_METADATA: MetadataTypes = { batch_index: "number", batch_size: "number" };

function actionsOf(action: Value, fallbacks: readonly string[]): Pick<InspectedEvent, "actions" | "actionIsSelected"> {
  const actions: string[] = [];
  let actionIsSelected = false;
  for (const part of action) {
    const { literals, isCertain } = literalsOf(part);
    actions.push(...literals.map(String));
    actionIsSelected ||= literals.length === 0;
    if (isCertain) return { actions: [...new Set(actions)], actionIsSelected };
  }
  // If nothing resolves, the default applies.
  return { actions: [...new Set([...actions, ...fallbacks])], actionIsSelected };
}

/** The literals that a part can become, and whether it always becomes one of them. */
function literalsOf(part: Part): { readonly literals: readonly Scalar[]; readonly isCertain: boolean } {
  const { pieces, map, otherwise } = part;
  if (selectorsOf(part).length === 0) return { literals: pieces.filter(isScalar), isCertain: true };
  const fallbacks = otherwise === undefined ? [] : [otherwise];
  return { literals: [...(map?.values() ?? []), ...fallbacks], isCertain: otherwise !== undefined };
}

function inspectTarget(target: PartyPlan): InspectedTarget {
  const metadata = typesOf(target.metadata);
  const [first] = target.type;
  if (!first) return { type: "unknown", metadata };
  const [type, ...more] = first.pieces;
  return isScalar(type) && more.length === 0 ? { type: String(type), metadata } : { metadata };
}

function typesOf(metadata: readonly (readonly [string, Value])[]): MetadataTypes {
  return Object.fromEntries(metadata.map(([key, value]) => [key, typeOf(value)]));
}

function typeOf(value: Value): ValueType {
  const types = new Set(value.flatMap(typesOfPart));
  const [only] = types;
  return types.size === 1 ? ((only ?? "any") as ValueType) : "any";
}

function typesOfPart(part: Part): readonly string[] {
  const { literals } = literalsOf(part);
  if (literals.length > 0) return literals.map((literal) => typeof literal);
  return part.pieces.length > 1 ? ["string"] : selectorsOf(part).map(typeOfSelector);
}

/** A body and a user's data contain whatever their sender put in, not only what a description says. */
function typeOfSelector({ root }: Selector): ValueType {
  if (root === "response.status") return "number";
  return root === "params" || root === "query" || root === "header" || root === "response.header" ? "string" : "any";
}
