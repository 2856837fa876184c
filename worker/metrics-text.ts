/** The text of `/metrics`. Pure. https://prometheus.io/docs/instrumenting/exposition_formats/ */
import { DEAD_LETTER_CLASSES } from "../shared/dead-letter.ts";
import { AGE_BUCKETS_S, LATENCY_BUCKETS_S } from "./ledger/counters.ts";
import type { Numbers } from "./numbers.ts";

/** How far the log of the evidence is. */
interface EvidenceStatus {
  readonly sealedUntilMs: number;
  readonly size: number;
  readonly failing: { readonly sinceMs: number } | undefined;
}

/** What the text shows at one moment. */
export interface Snapshot {
  readonly numbers: Numbers;
  readonly waiting: number;
  readonly oldestWaitingMs: number | null;
  readonly outboxWaiting: number;
  readonly outboxOldestMs: number | null;
  readonly isPaused: boolean;
  /** What the monitor has counted. */
  readonly tally: Numbers;
  /** Size of every database. */
  readonly storage: readonly { readonly object: string; readonly shard: number; readonly bytes: number }[];
  /** Messages that wait at QStash, as of the newest cron round. */
  readonly waitingMessages: number;
  /** Absent if no evidence is kept. */
  readonly evidence: EvidenceStatus | undefined;
  readonly deadLetters: readonly { readonly value: string | number | null; readonly count: number }[];
}

/** Counters: the metric, its field in the ledger's counters, and its help text. */
const COUNTERS: readonly (readonly [name: string, number: string, help: string])[] = [
  ["audit_records_seen_total", "seen", "Event ids that a delivery claimed for the first time."],
  ["audit_ambiguous_attempts_total", "ambiguous", "Attempts after which WorkOS may or may not have the event."],
  ["audit_duplicates_avoided_total", "duplicates", "Records that came again after they were delivered or discarded."],
  ["audit_superseded_total", "superseded", "Intents and watchdog records that came after their outcome."],
  [
    "audit_expired_total",
    "expired",
    "Records not sent again because WorkOS may hold them and has forgotten their key.",
  ],
  ["audit_late_outcomes_total", "late", "Outcomes that came after an intent or a watchdog's record was delivered."],
  ["audit_leased_total", "leased", "Claims refused because another delivery held the record."],
];

const PROBES = ["up", "down", "refused"];
const OUTCOMES = ["delivered", "retry", "reject", "pause"];

/** Returns the text of one snapshot. */
export function render(snapshot: Snapshot, nowMs: number): string {
  const { numbers, evidence } = snapshot;
  const attempts = OUTCOMES.map((outcome): Sample => [`{outcome="${outcome}"}`, numbers[outcome] ?? 0]);
  const parked = new Map(snapshot.deadLetters.map(({ value, count }) => [value, count]));
  const deadLetters = DEAD_LETTER_CLASSES.map((name): Sample => [`{class="${name}"}`, parked.get(name) ?? 0]);
  const ageSeconds = (ms: number | null) => (ms === null ? 0 : Math.max(nowMs - ms, 0) / 1000);
  return [
    ...COUNTERS.map(([name, number, help]) => metric(name, "counter", help, [["", numbers[number] ?? 0]])),
    metric("audit_attempts_total", "counter", "Attempts by what they ended in.", attempts),
    histogram("audit_attempt_duration_seconds", "Time of one attempt.", "latency", LATENCY_BUCKETS_S, numbers),
    histogram(
      "audit_delivery_age_seconds",
      "Age of a request when its event was delivered.",
      "age",
      AGE_BUCKETS_S,
      numbers,
    ),
    metric("audit_dead_letters", "gauge", "Dead letters that wait for an operator.", deadLetters),
    gauge("audit_waiting_records", "Records that wait for their next attempt.", snapshot.waiting),
    gauge("audit_oldest_waiting_seconds", "Age of the oldest of them.", ageSeconds(snapshot.oldestWaitingMs)),
    gauge("audit_outbox_waiting_messages", "Spilled messages that wait for the queue.", snapshot.outboxWaiting),
    gauge("audit_outbox_oldest_seconds", "Age of the oldest of them.", ageSeconds(snapshot.outboxOldestMs)),
    metric("audit_breaker_opened_total", "counter", "Times that delivery was paused because WorkOS was down.", [
      ["", snapshot.tally["breaker_opened"] ?? 0],
    ]),
    metric(
      "audit_probes_total",
      "counter",
      "Rounds of probes by what they found.",
      PROBES.map((outcome): Sample => [`{outcome="${outcome}"}`, snapshot.tally[`probes_${outcome}`] ?? 0]),
    ),
    metric("audit_refused_total", "counter", "Refused calls by route and reason.", refusedOf(snapshot.tally)),
    metric("audit_operator_events_refused_total", "counter", "Events about operators that WorkOS did not accept.", [
      ["", snapshot.tally["operator_events_refused"] ?? 0],
    ]),
    gauge(
      "audit_queue_waiting_messages",
      "Messages that wait at QStash under our flow-control keys.",
      snapshot.waitingMessages,
    ),
    metric(
      "audit_storage_bytes",
      "gauge",
      "Size of the database of each Durable Object, which holds 10 GB at most.",
      snapshot.storage.map(({ object, shard, bytes }): Sample => [`{object="${object}",shard="${shard}"}`, bytes]),
    ),
    ...(evidence ? evidenceOf(evidence, ageSeconds) : []),
    gauge("audit_paused", "1 while delivery is paused.", snapshot.isPaused ? 1 : 0),
    "",
  ].join("\n");
}

function evidenceOf({ sealedUntilMs, size, failing }: EvidenceStatus, ageSeconds: (ms: number | null) => number) {
  const failingMs = failing?.sinceMs ?? null;
  return [
    metric("audit_evidence_digests_total", "counter", "Digests in the published log.", [["", size]]),
    gauge("audit_evidence_unsealed_seconds", "Age of the end of the newest digest.", ageSeconds(sealedUntilMs)),
    gauge("audit_evidence_anchor_failing_seconds", "How long an anchor has failed.", ageSeconds(failingMs)),
  ];
}

const REFUSED = /^refused (?<route>\S+) (?<reason>\S+)$/;

function refusedOf(tally: Numbers): Sample[] {
  return Object.entries(tally).flatMap(([name, count]): Sample[] => {
    const { route, reason } = REFUSED.exec(name)?.groups ?? {};
    return route === undefined ? [] : [[`{route="${route}",reason="${reason}"}`, count]];
  });
}

type Sample = readonly [labels: string, value: number];

function metric(name: string, type: string, help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value]) => `${name}${labels} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines].join("\n");
}

function gauge(name: string, help: string, value: number): string {
  return metric(name, "gauge", help, [["", value]]);
}

/** The ledger counts each observation in one bucket; Prometheus expects cumulative buckets. */
function histogram(name: string, help: string, number: string, bounds: readonly number[], numbers: Numbers): string {
  let count = 0;
  const lines = [...bounds, "inf"].map((bound) => {
    count += numbers[`${number}_le_${bound}`] ?? 0;
    return `${name}_bucket{le="${bound === "inf" ? "+Inf" : bound}"} ${count}`;
  });
  const sum = numbers[`${number}_sum`] ?? 0;
  return [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} histogram`,
    ...lines,
    `${name}_sum ${sum}`,
    `${name}_count ${count}`,
  ].join("\n");
}
