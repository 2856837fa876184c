/**
 * Refused requests of strangers share records, so that a refusal costs less than the request, and a flood of them displaces no
 * other records. A stranger is a caller without a user whose request ends with 401, 403 or 429. Requests to the same route from the
 * same address in the same minute share a record, which counts them.
 */
import type { Capture, Ending } from "./capture.ts";
import { type Ports, sleep } from "./ports.ts";
import { objectOf, textOf } from "./selector.ts";

const REFUSED = new Set([401, 403, 429]);

/**
 * How long a record counts before it is sent: the first of a minute for one second, each later one twice as long as the one before.
 * With the default of `holdMs`, this stays within the 30 s that a platform allows after the response. Our choice.
 */
const COUNT_FIRST_MS = 1_000;
const COUNT_MAX_MS = 8_000;
/** Most kinds of refusal counted per minute. A request of any other kind leaves a record of its own. Our choice. */
const KINDS_MAX = 1_000;

const MINUTE_MS = 60_000;

export interface Refusal {
  /** This request sends the record. */
  readonly isFirst: boolean;
  /** Waits while requests are counted and resolves to their number. Only the first request may call it, once. */
  count(): Promise<number>;
}

export interface Refusals {
  /** Counts a request, or returns undefined if it must have a record of its own. */
  note(capture: Capture, ending: Ending): Refusal | undefined;
}

interface Kind {
  /** How long the next record counts. */
  countMs: number;
  /** Requests in the current record; 0 if there is none. */
  requests: number;
}

/** The refusals of one policy entry of one isolate. */
export function makeRefusals(ports: Pick<Ports, "timer">, isDescribedInCode: boolean): Refusals {
  const kinds = new Map<string, Kind>();
  let minute = 0;

  function kindOf(key: string, startedMs: number): Kind | undefined {
    const current = Math.floor(startedMs / MINUTE_MS);
    // A record that is still counting keeps its kind; the next request begins a new one.
    if (current > minute) kinds.clear();
    minute = Math.max(minute, current);
    const known = kinds.get(key);
    if (known || kinds.size >= KINDS_MAX) return known;
    const kind = { countMs: COUNT_FIRST_MS, requests: 0 };
    kinds.set(key, kind);
    return kind;
  }

  async function count(kind: Kind): Promise<number> {
    await sleep(ports, kind.countMs);
    const { requests } = kind;
    kind.requests = 0;
    kind.countMs = Math.min(kind.countMs * 2, COUNT_MAX_MS);
    return requests;
  }

  return {
    note(capture, ending) {
      if (!isRefusedStranger(ending) || !mayShare(capture)) return undefined;
      const kind = kindOf(keyOf(capture, ending, isDescribedInCode), capture.startedMs);
      if (!kind) return undefined;
      kind.requests += 1;
      return { isFirst: kind.requests === 1, count: () => count(kind) };
    },
  };
}

export function isRefusedStranger({ status, user }: Pick<Ending, "status" | "user">): boolean {
  return REFUSED.has(status) && (user === undefined || user === null);
}

/**
 * A request that other records refer to, or whose record was already announced, has its own record. So does each request of a
 * preset, because their content differs.
 */
function mayShare(capture: Capture): boolean {
  return (
    capture.plan.preset === undefined &&
    capture.plan.assurance === "best-effort" &&
    capture.parentId === undefined &&
    !capture.isIdentified()
  );
}

/**
 * Equal for requests that may share a record. Nothing else from a stranger chooses the organization, unless the user's own code
 * reads it from the path.
 */
function keyOf({ request, context }: Capture, { status }: Ending, isDescribedInCode: boolean): string {
  const ip = textOf(objectOf(context.incomingRequestProperties)["ip"]);
  const parameters = isDescribedInCode ? request.params : undefined;
  return JSON.stringify([request.method, context.route.path, status, ip, parameters]);
}
