/** What the options and the `x-audit` of a project mean, before any request: the CLI runs this in a process of its own. Pure. */
import { defaultAction } from "./maker.ts";
import { checkOptions, type Options } from "./options.ts";
import { makePlan, type PartyPlan, type Plan, type Value } from "./plan.ts";
import { makeHider } from "./privacy.ts";
import { parseSelector, type Selector } from "./selector.ts";

export interface ProjectToInspect {
  /** Options of the policy's entry, variables put in. */
  readonly options: unknown;
  readonly routes: readonly {
    readonly path: string;
    readonly methods: readonly string[];
    readonly operationId?: unknown;
    readonly xAudit?: unknown;
  }[];
}

/** `any`: known only when a request is there. */
export type ValueType = "string" | "number" | "boolean" | "any";
export type MetadataTypes = Readonly<Record<string, ValueType>>;

export interface InspectedTarget {
  /** Absent where a selector chooses it. */
  readonly type?: string;
  readonly metadata: MetadataTypes;
}

export interface InspectedRoute {
  readonly skip: boolean;
  readonly problems: readonly string[];
  /** Every action that the route can have, as far as it is written down. */
  readonly actions: readonly string[];
  /** A selector chooses the action, so that there may be more. */
  readonly actionIsSelected: boolean;
  readonly targets: readonly InspectedTarget[];
  readonly actorMetadata: MetadataTypes;
  readonly metadata: MetadataTypes;
}

export interface Inspection {
  /** As the policy names them in its log, and names in `pseudonymize` that are none. */
  readonly optionProblems: readonly string[];
  /** In the order given. */
  readonly routes: readonly InspectedRoute[];
}

/** Never throws; what is wrong is named. */
export function inspect({ options: given, routes }: ProjectToInspect): Inspection {
  const { options, problems } = checkOptions(given);
  return {
    optionProblems: [...problems, ...privacyProblems(options)],
    routes: routes.map(({ path, methods, operationId, xAudit }) => {
      const plan = makePlan(xAudit, options);
      const fallbacks = methods.map((method) => defaultAction(operationId, method.toUpperCase(), path));
      return { ...inspectPlan(plan), ...actionsOf(plan.action, fallbacks) };
    }),
  };
}

/** Fields that can become pseudonyms, beside selectors. */
const FIELD =
  /^((actor|targets(\.\d+)?)\.(\*|id|type|name|metadata\..+)|metadata\..+|(geo|credential)\..+|ip|userAgent|requestId|organization)$/;

function privacyProblems(options: Options): readonly string[] {
  const { problem } = makeHider(options, () => Promise.resolve(new Uint8Array()));
  const unknown = options.pseudonymize.filter((name) => !FIELD.test(name) && !parseSelector(name));
  return [
    ...(problem === undefined ? [] : [problem]),
    ...unknown.map((name) => `invalid_option: "pseudonymize" has "${name}", no field and no selector`),
  ];
}

function inspectPlan(plan: Plan): Omit<InspectedRoute, "actions" | "actionIsSelected"> {
  return {
    skip: plan.skip,
    problems: plan.problems,
    targets: plan.targets?.map(inspectTarget) ?? [{ type: "route", metadata: {} }],
    // The default actor's role, which a plan adds to.
    actorMetadata: { role: "string", ...typesOf(plan.actor.metadata) },
    metadata: typesOf(plan.metadata),
  };
}

function actionsOf(action: Value, fallbacks: readonly string[]) {
  const literals = action.flatMap((part) => ("literal" in part ? [String(part.literal)] : []));
  return {
    // A selector that does not resolve leaves the default in place.
    actions: [...new Set(literals.length > 0 ? literals : fallbacks)],
    actionIsSelected: action.some((part) => !("literal" in part)),
  };
}

function inspectTarget(target: PartyPlan): InspectedTarget {
  const metadata = typesOf(target.metadata);
  const [first] = target.type;
  if (!first) return { type: "unknown", metadata };
  return "literal" in first ? { type: String(first.literal), metadata } : { metadata };
}

function typesOf(metadata: readonly (readonly [string, Value])[]): MetadataTypes {
  return Object.fromEntries(metadata.map(([key, value]) => [key, typeOf(value)]));
}

function typeOf(value: Value): ValueType {
  const types = new Set(value.map((part) => ("literal" in part ? typeof part.literal : typeOfSelector(part))));
  const [only] = types;
  return types.size === 1 ? ((only ?? "any") as ValueType) : "any";
}

/** A body and a user's data hold what their sender put in, whatever a description says. */
function typeOfSelector({ root }: Selector): ValueType {
  if (root === "response.status") return "number";
  return root === "params" || root === "query" || root === "header" || root === "response.header" ? "string" : "any";
}
