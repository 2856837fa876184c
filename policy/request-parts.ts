/** Splits a request into one part per record, by presets, cases and `each`. Pure. */
import { EACH_MAX_RECORDS } from "../shared/limits.ts";
import { holds } from "./conditions.ts";
import type { Description } from "./description.ts";
import type { Case, RoutePlan } from "./plan.ts";
import { readByPreset } from "./presets/preset.ts";
import type { Reading } from "./presets/reading.ts";
import { itemsOf, type Seen } from "./selector.ts";

/** The input of one record. */
export interface RequestPart {
  /** Its position among the messages and elements of the request, from 0; always the same for the same request. */
  readonly place: string;
  readonly seen: Seen;
  readonly description: Description;
  /** The preset's result, which the description overrides. */
  readonly reading?: Reading | undefined;
  /** Its position in a list, and the length of the list. */
  readonly batch?: { readonly index: number; readonly size: number } | undefined;
  /** The list that lacks its element. */
  readonly missingList?: string | undefined;
}

interface RequestParts {
  readonly left: readonly RequestPart[];
  /** Number of further parts that would have left a record. */
  readonly dropped: number;
  readonly skipped: readonly { readonly part: RequestPart; readonly reason: string | boolean }[];
}

/** Splits a request by its route's plan. */
export function partsOf(plan: RoutePlan, seen: Seen): RequestParts {
  const left: RequestPart[] = [];
  const skipped: RequestParts["skipped"][number][] = [];
  let dropped = 0;
  for (const part of candidates(plan, seen)) {
    const found = caseFor(plan, part.seen);
    const reason = part.reading?.skip ?? found?.skip ?? false;
    const described = { ...part, description: found?.description ?? plan.base };
    if (reason !== false) skipped.push({ part: described, reason });
    else if (left.length < EACH_MAX_RECORDS) left.push(described);
    else dropped += 1;
  }
  return { left, dropped, skipped };
}

type Candidate = Omit<RequestPart, "description">;

function candidates({ preset, ...plan }: RoutePlan, seen: Seen): readonly Candidate[] {
  if (!preset) return elements(plan, { place: "", seen });
  const readings = readByPreset(preset, seen, plan.skipsQueries);
  // A batch of one is still a batch.
  const size = Array.isArray(seen.body) ? readings.length : undefined;
  return readings.flatMap((reading, index) => {
    const batch = size === undefined ? undefined : { index, size };
    return elements(plan, { place: `${index}.`, seen: reading.seen, reading, batch });
  });
}

/** One candidate for each element of the list that `each` selects. Without `each`, or if the list is empty, the whole request. */
function elements(plan: Pick<RoutePlan, "base" | "cases">, whole: Candidate): readonly Candidate[] {
  const { each } = caseFor(plan, whole.seen, true)?.description ?? plan.base;
  if (!each) return [whole];
  const items = itemsOf(each, whole.seen);
  if (items.length === 0) return [{ ...whole, missingList: each.need === "?" ? "" : each.text }];
  return items.map((item, index) => ({
    ...whole,
    place: `${whole.place}${index}`,
    seen: { ...whole.seen, item },
    batch: { index, size: items.length },
  }));
}

/** The first case that matches. For the whole request, conditions on an element do not count. */
function caseFor({ cases }: Pick<RoutePlan, "cases">, seen: Seen, isWhole = false): Case | undefined {
  return cases.find(({ when }) =>
    holds(isWhole ? when.filter(({ selector }) => selector.root !== "item") : when, seen),
  );
}
