/** The one-screen summary of the demo: counts and times, all measured in this run. */
import Table from "cli-table3";
import { isExact, type Arrival } from "./arrivals.ts";
import type { Proof } from "./evidence.ts";
import { formatMs } from "./print.ts";

interface Summary {
  /** True only if the whole demo succeeded: `isExact`, and the evidence proves it and detects the change. */
  readonly ok: boolean;
  /** True only if every request has exactly one event and WorkOS holds no other. */
  readonly isExact: boolean;
  readonly requests: number;
  readonly asTheApiAnswers: number;
  readonly arrivedOnce: number;
  readonly missing: number;
  readonly duplicates: number;
  /** Events that no request of the demo explains. */
  readonly strays: number;
  readonly evidence: Proof;
  readonly workosRequests: number;
  readonly latencyMs: Spread;
  readonly latencyDuringOutageMs: Spread;
  readonly arrivalAfterAnswerMs: Spread;
}

interface Spread {
  readonly median: number;
  readonly max: number;
}

interface Measured {
  readonly healthy: readonly Arrival[];
  readonly outage: readonly Arrival[];
  readonly eventsStored: number;
  readonly workosRequests: number;
  readonly evidence: Proof;
}

/** Collects the measured values. */
export function summarize({ healthy, outage, eventsStored, workosRequests, evidence }: Measured): Summary {
  const all = [...healthy, ...outage];
  const arrivedOnce = all.filter(isExact).length;
  const explained = all.reduce((sum, { events, children }) => sum + events.length + children.length, 0);
  const asTheApiAnswers = all.filter(({ result }) => result.status === result.call.expectStatus).length;
  const duplicates = all.reduce((sum, { events }) => sum + Math.max(0, events.length - 1), 0);
  const strays = eventsStored - explained;
  const isExactInAll = arrivedOnce === all.length && asTheApiAnswers === all.length && strays === 0;
  return {
    ok: isExactInAll && evidence.isWhole && evidence.isChangeFound,
    isExact: isExactInAll,
    requests: all.length,
    asTheApiAnswers,
    arrivedOnce,
    missing: all.filter(({ events }) => events.length === 0).length,
    duplicates,
    strays,
    evidence,
    workosRequests,
    latencyMs: spread(healthy.map(({ result }) => result.latencyMs)),
    latencyDuringOutageMs: spread(outage.map(({ result }) => result.latencyMs)),
    arrivalAfterAnswerMs: spread(
      healthy.flatMap(({ result, events }) => events.map((event) => event.received_at_ms - result.answeredAtMs)),
    ),
  };
}

function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: sorted[Math.floor(sorted.length / 2)] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN };
}

/** The summary as a table. */
export function summaryTable(summary: Summary): string {
  const table = new Table({
    style: { head: [], border: [] },
    chars: { mid: "", "left-mid": "", "mid-mid": "", "right-mid": "" },
  });
  table.push(
    ["requests sent through the gateway", String(summary.requests)],
    ["answered exactly as the API itself answers", String(summary.asTheApiAnswers)],
    ["arrived in WorkOS exactly once", String(summary.arrivedOnce)],
    ["missing · duplicated · unexplained", `${summary.missing} · ${summary.duplicates} · ${summary.strays}`],
    [
      "sealed, and proved unchanged in WorkOS",
      `${summary.evidence.proved}${summary.evidence.isWhole ? "" : ", NOT all"}`,
    ],
    [
      "an event that was changed afterwards",
      summary.evidence.isChangeFound ? "found by verify" : "NOT found by verify",
    ],
    ["requests that WorkOS saw, retries included", String(summary.workosRequests)],
    ["response time, everything healthy", times(summary.latencyMs)],
    ["response time, WorkOS or the queue down", times(summary.latencyDuringOutageMs)],
    ["event stored after the answer, everything healthy", times(summary.arrivalAfterAnswerMs)],
  );
  return table.toString();
}

/** The last line, for a reader who reads nothing else. */
export function verdict({ ok, isExact: isExactInAll }: Summary): string {
  if (!isExactInAll) return "NOT every event arrived exactly once.";
  return ok ? "Every event arrived exactly once." : "Every event arrived, but the evidence does NOT prove it.";
}

function times({ median, max }: Spread): string {
  return `${formatMs(median)} median, ${formatMs(max)} max`;
}
