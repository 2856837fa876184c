/** The events of each operation of a project. Pure. */
import type { Route } from "../init/routes.ts";
import type { InspectedRoute } from "../policy/evaluation.ts";
import { toolsOf } from "./tools.ts";

/** `exempt`: the operation itself declares that it leaves no event. `unaudited`: its chain has no entry of the policy. */
export type CoverageState = "audited" | "exempt" | "unaudited";

export interface Operation {
  /** In capitals, such as `POST`. */
  readonly method: string;
  /** The pattern as written in the file. */
  readonly path: string;
  readonly operation_id: string | null;
  readonly state: CoverageState;
  /** Every action that the operation can produce, sorted; empty unless it is audited. */
  readonly actions: readonly string[];
  /** Why the operation is exempt; absent if it gives no reason. */
  readonly reason?: string;
  /** The operations that an MCP server offers as tools, prompts and resources. */
  readonly tools?: readonly Tool[];
}

/** An operation that agents can reach through an MCP server. Its own record says what it did. */
interface Tool {
  readonly operation_id: string;
  /** `unknown`: no operation has this id. */
  readonly state: CoverageState | "unknown";
}

/** One operation with what only the check needs. */
export interface Covered {
  readonly operation: Operation;
  readonly file: string;
  /** True if part of it is left out without a reason. */
  readonly skipsWithoutReason: boolean;
}

/** Splits routes so that each has one method and each operation is by itself. */
export function perMethod(routes: readonly Route[]): readonly Route[] {
  return routes.flatMap((route) => route.methods.map((method) => ({ ...route, methods: [method] })));
}

/** Returns the coverage of operations with one method each; inspections have the same order. Sorted by path, then method. */
export function coverOperations(routes: readonly Route[], inspected: readonly InspectedRoute[]): readonly Covered[] {
  const states = new Map<string, CoverageState>();
  const covered = routes.map((route, index): Covered => {
    const found = inspected[index];
    const state = stateOf(route, found);
    const id = route.operation["operationId"];
    if (typeof id === "string") states.set(`${route.file}#${id}`, state);
    const reason = state === "exempt" ? found?.reason?.trim() : undefined;
    return {
      operation: {
        method: (route.methods[0] ?? "").toUpperCase(),
        path: route.path,
        operation_id: typeof id === "string" ? id : null,
        state,
        actions: state === "audited" ? actionsOf(found) : [],
        ...(reason ? { reason } : {}),
      },
      file: route.file,
      skipsWithoutReason: state !== "unaudited" && skipsWithoutReason(found),
    };
  });
  return covered
    .map((one, index) => withTools(one, routes[index], states))
    .toSorted((a, b) => compare(a.operation.path, b.operation.path) || compare(a.operation.method, b.operation.method));
}

function stateOf({ place }: Route, inspected: InspectedRoute | undefined): CoverageState {
  if (inspected?.skip) return "exempt";
  return place === "absent" ? "unaudited" : "audited";
}

function skipsWithoutReason(inspected: InspectedRoute | undefined): boolean {
  if (inspected?.skip) return !inspected.reason?.trim();
  return inspected?.caseSkips.some((reason) => reason === true || reason.trim() === "") ?? false;
}

function actionsOf(inspected: InspectedRoute | undefined): readonly string[] {
  return [...new Set(inspected?.events.flatMap(({ actions }) => actions))].toSorted(compare);
}

function withTools(covered: Covered, route: Route | undefined, states: ReadonlyMap<string, CoverageState>): Covered {
  const offered = route ? toolsOf(route.operation) : undefined;
  if (offered === undefined) return covered;
  const tools = offered.map(({ file, operationId }) => ({
    operation_id: operationId,
    state: states.get(`${file}#${operationId}`) ?? ("unknown" as const),
  }));
  return { ...covered, operation: { ...covered.operation, tools } };
}

function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
