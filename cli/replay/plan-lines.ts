/** The plan of a replay, for people. Pure. */
import type { Plan } from "../api/answers.ts";
import type { Io } from "../run/io.ts";
import { count, pairLines, visible, wrapped } from "../run/text.ts";

/** Why a dead letter is skipped, in words. */
const SKIPPED: Readonly<Record<string, string>> = {
  delivered: "delivered already",
  in_replay: "in another replay",
  discarded: "discarded",
  not_found: "no such dead letter",
  unreadable: "bytes that cannot be decoded",
  needs_accept_duplicates: "WorkOS may hold it, and its 24 h window is over: needs --accept-duplicates",
  mend_needs_accept_duplicates: "mended, and WorkOS may hold the first form: needs --accept-duplicates",
  cancelled: "cancelled",
  not_accepted: "the queue refused it",
};

const AGES: Readonly<Record<string, string>> = {
  within_24h: "within WorkOS's 24 h window",
  beyond_24h: "beyond WorkOS's 24 h window",
  never_attempted: "never attempted",
};

/** Returns the plan as lines: what is sent, what is skipped and why, what is mended. No line is wider than the terminal. */
export function planLines(plan: Plan, { paint, columns }: Pick<Io, "paint" | "columns">): readonly string[] {
  const at = plan.rate === undefined ? "" : ` at ${plan.rate} a second`;
  const time = plan.seconds === undefined || plan.send === 0 ? "" : `, about ${duration(plan.seconds)}`;
  const rows: readonly Row[] = [
    { text: `plan: send ${count(plan.send, "dead letter")}${at}${time}; skip ${plan.skip}`, style: "bold" },
    ...section("by class", plan.by_class),
    ...section("by action", plan.by_action),
    ...section("by organization", plan.by_organization),
    ...section("by age of the first attempt", named(plan.age, AGES)),
    ...section("skipped", named(plan.skip_reasons, SKIPPED)),
    ...duplicateRows(plan),
    ...mendRows(plan),
  ];
  return rows.flatMap((row) => fitted(row, columns).map((line) => (row.style ? paint(row.style, line) : line)));
}

interface Row {
  /** The label before the text on its first line; further lines are indented by its width. */
  readonly start?: string;
  readonly text: string;
  readonly style?: "bold" | "yellow" | "red" | "green";
}

function fitted({ start = "", text }: Row, columns = Infinity): readonly string[] {
  const [first = "", ...rest] = wrapped(text, columns - start.length);
  return [start + first, ...rest.map((line) => " ".repeat(start.length) + line)];
}

function section(title: string, counts: Readonly<Record<string, number>>): readonly Row[] {
  const rows = Object.entries(counts).filter(([, n]) => n > 0);
  if (rows.length === 0) return [];
  const width = Math.max(...rows.map(([, n]) => String(n).length));
  return [
    { text: title },
    ...rows.map(([name, n]) => ({ start: `  ${String(n).padStart(width)}  `, text: visible(name) })),
  ];
}

function named(counts: Readonly<Record<string, number>>, names: Readonly<Record<string, string>>) {
  return Object.fromEntries(Object.entries(counts).map(([name, n]) => [names[name] ?? name, n]));
}

function duplicateRows(plan: Plan): readonly Row[] {
  if (plan.duplicates_possible === 0) return [];
  const what = `${count(plan.duplicates_possible, "event")} may be in WorkOS already`;
  const text = plan.needs_accept_duplicates ? `${what}; they are skipped` : `${what} and may appear twice`;
  return [{ text, style: "yellow" }];
}

function mendRows({ mend }: Plan): readonly Row[] {
  if (!mend) return [];
  const changes = mend.sample.flatMap(({ event_id, changes }): readonly Row[] => [
    { start: "  ", text: visible(event_id) },
    ...changes.flatMap(({ field, from, to }): readonly Row[] => [
      { start: "    - ", text: `${visible(field)}: ${value(from)}`, style: "red" },
      ...(to === null || to === undefined
        ? []
        : [{ start: "    + ", text: `${visible(field)}: ${value(to)}`, style: "green" } as const]),
    ]),
  ]);
  const rest = mend.changed - mend.sample.length;
  return [
    { text: `mending changes ${mend.changed} and leaves ${mend.unchanged} as they are` },
    ...changes,
    ...(rest > 0 ? [{ start: "  ", text: `and ${rest} more` }] : []),
  ];
}

function value(of: unknown): string {
  return visible(typeof of === "string" ? of : (JSON.stringify(of) ?? "-"));
}

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** The outcome of a replay, for people. */
export function pairsOfCounts(counts: Readonly<Record<string, unknown>>): readonly string[] {
  return pairLines(Object.entries(counts).map(([name, n]) => [name.replaceAll("_", " "), String(n)]));
}
