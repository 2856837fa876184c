/** The plan of a replay: what it will send and skip, counted dead letter by dead letter. */
import type { DeadLetterSummary } from "../dead-letters/row.ts";
import type { PlanAnswer } from "../../shared/replay-answers.ts";
import type { Age, ReplayDecision } from "./decision.ts";
import type { FieldChange } from "./mended-record.ts";
import type { ReplayRequest } from "./request.ts";

/** Most actions or organizations that a plan names; the others are summed. Our choice. */
const NAMES_MAX = 100;
const SAMPLE_MAX = 10;

/** The counts of a plan, which has an id only in the answer to a dry run. */
export type ReplayPlan = Omit<PlanAnswer, "id">;

type Counts = Map<string, number>;

export class PlanCounts {
  readonly #request: Pick<ReplayRequest, "rate" | "mend">;
  readonly #skips: Counts = new Map();
  readonly #classes: Counts = new Map();
  readonly #actions: Counts = new Map();
  readonly #organizations: Counts = new Map();
  readonly #ages: Record<Age, number> = { within_24h: 0, beyond_24h: 0, never_attempted: 0 };
  readonly #sample: { event_id: string; changes: readonly FieldChange[] }[] = [];
  #send = 0;
  #risks = 0;
  #changed = 0;

  constructor(request: Pick<ReplayRequest, "rate" | "mend">) {
    this.#request = request;
  }

  add(row: DeadLetterSummary | undefined, decision: ReplayDecision, changes: readonly FieldChange[]): void {
    if (decision.risk) this.#risks++;
    if (decision.kind === "skip") return count(this.#skips, decision.reason);
    this.#send++;
    this.#ages[decision.age]++;
    count(this.#classes, row?.class ?? "(none)");
    count(this.#actions, row?.action ?? "(none)");
    count(this.#organizations, row?.organization ?? "(none)");
    if (changes.length === 0) return;
    this.#changed++;
    if (this.#sample.length < SAMPLE_MAX) this.#sample.push({ event_id: row?.event_id ?? "", changes });
  }

  build(): ReplayPlan {
    const { rate, mend } = this.#request;
    const skips: Readonly<Record<string, number>> = Object.fromEntries(this.#skips);
    return {
      send: this.#send,
      skip: sum(this.#skips.values()),
      skip_reasons: skips,
      by_class: largest(this.#classes),
      by_action: largest(this.#actions),
      by_organization: largest(this.#organizations),
      age: { ...this.#ages },
      duplicates_possible: this.#risks,
      needs_accept_duplicates: !!(skips["needs_accept_duplicates"] || skips["mend_needs_accept_duplicates"]),
      rate,
      seconds: Math.ceil(this.#send / rate),
      ...(mend
        ? { mend: { changed: this.#changed, unchanged: this.#send - this.#changed, sample: this.#sample } }
        : {}),
    };
  }
}

function count(counts: Counts, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

function largest(counts: Counts): Record<string, number> {
  const sorted = [...counts].toSorted((a, b) => b[1] - a[1]);
  const rest = sum(sorted.slice(NAMES_MAX).map(([, number]) => number));
  return Object.fromEntries(rest > 0 ? [...sorted.slice(0, NAMES_MAX), ["(other)", rest]] : sorted);
}

function sum(numbers: Iterable<number>): number {
  let total = 0;
  for (const number of numbers) total += number;
  return total;
}
