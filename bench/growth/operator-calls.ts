/** What operators and their tools ask of the dead letters: lists, counts and plans. */
import { AuditError } from "../../shared/errors.ts";
import { DEAD_LETTER_STATES } from "../../shared/dead-letter.ts";
import { cpuMicros } from "../process-cpu.ts";
import { RARE_ACTION, rareCount } from "./letters.ts";
import { ADMIN_TOKEN } from "../worker/scripts.ts";

export type CallKind = "listing" | "plan";

interface OperatorCall {
  readonly name: string;
  readonly kind: CallKind;
  readonly path: string;
  readonly body?: object;
  /** Whether an answer is that of a worker with so many dead letters. */
  readonly fits: (answer: Answer, letters: number) => boolean;
}

interface Answer {
  readonly dead_letters?: readonly { readonly event_id: string }[];
  readonly total?: number;
  readonly events?: readonly unknown[];
  readonly plan?: { readonly send: number; readonly mend?: { readonly changed: number } };
}

const PAGE = 100;
const LIST = `/api/dead-letters?limit=${PAGE}`;

/** So many dead letters are on a page of a filter that finds `found`. */
function hasPage(found: (letters: number) => number): OperatorCall["fits"] {
  return ({ dead_letters = [] }, letters) => dead_letters.length === Math.min(PAGE, found(letters));
}

export const CALLS: readonly OperatorCall[] = [
  { name: "first page", kind: "listing", path: LIST, fits: hasPage((letters) => letters) },
  {
    name: "first page of all states",
    kind: "listing",
    path: `${LIST}&state=${DEAD_LETTER_STATES.join(",")}`,
    fits: hasPage((letters) => letters),
  },
  { name: "page of a rare action", kind: "listing", path: `${LIST}&action=${RARE_ACTION}`, fits: hasPage(rareCount) },
  { name: "page of a filter that finds nothing", kind: "listing", path: `${LIST}&status=599`, fits: hasPage(() => 0) },
  {
    name: "counts by class",
    kind: "listing",
    path: "/api/dead-letters?group_by=class",
    fits: ({ total }, letters) => total === letters,
  },
  {
    name: "counts by organization",
    kind: "listing",
    path: "/api/dead-letters?group_by=organization",
    fits: ({ total }, letters) => total === letters,
  },
  {
    name: "search for an unknown request id",
    kind: "listing",
    path: "/api/events?request_id=nobody",
    fits: ({ events }) => events?.length === 0,
  },
  {
    name: "plan of all",
    kind: "plan",
    path: "/api/replays",
    body: { all: true, dry_run: true },
    fits: ({ plan }, letters) => plan?.send === letters,
  },
  {
    name: "plan of all, mended",
    kind: "plan",
    path: "/api/replays",
    body: { all: true, dry_run: true, map: { action: { [RARE_ACTION]: "document.read" } } },
    fits: ({ plan }, letters) => plan?.send === letters && plan.mend?.changed === rareCount(letters),
  },
];

/** Time and CPU of one call, in ms. */
export interface CallCost {
  readonly ms: number;
  readonly cpuMs: number;
}

/** Makes one call; throws `internal` unless its answer fits. */
export async function measureCall(
  { url, pids }: { readonly url: string; readonly pids: readonly number[] },
  { name, path, body, fits }: OperatorCall,
  letters: number,
): Promise<CallCost> {
  const cpuBefore = await cpuMicros(pids);
  const startMs = performance.now();
  const response = await fetch(url + path, {
    headers: { authorization: `Bearer ${ADMIN_TOKEN}`, "content-type": "application/json" },
    ...(body && { method: "POST", body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const ms = performance.now() - startMs;
  const cpuMs = ((await cpuMicros(pids)) - cpuBefore) / 1_000;
  if (response.status !== 200 || !fits(JSON.parse(text) as Answer, letters)) {
    const shown = text.slice(0, 300);
    throw new AuditError("internal", `"${name}" of ${letters} dead letters was answered ${response.status}: ${shown}`);
  }
  return { ms, cpuMs };
}
