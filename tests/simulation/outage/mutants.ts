/** Proof that the oracle of outages sees: each mutant breaks one place of the real rules, and the named check must notice. */
import type { Mutant } from "../mutants.ts";
import type { OutagePlan } from "./plan.ts";

const TEN_MINUTES_MS = 600_000;

export interface OutageMutant extends Mutant {
  /** Schedules that can show it, so that the others need not run. */
  readonly fits: (plan: OutagePlan) => boolean;
}

const lengthMs = ({ outage }: OutagePlan) => outage.untilMs - outage.fromMs;
const isStream = (messages: OutagePlan["messages"]) => messages.length === 1_500;
const hasPoison = (plan: OutagePlan, poison: string) => plan.messages.some((message) => message.poison === poison);

export const OUTAGE_MUTANTS: readonly OutageMutant[] = [
  {
    name: "probe-with-a-new-key",
    check: "arrivesOnce",
    folder: "worker",
    from: 'await $ports.send($body, $key); const $ended = $ports.now(); const $outcome = $of($answer, $ended); const $status = $kind === "response"',
    to: 'await $ports.send($body, $key + "-probe"); const $ended = $ports.now(); const $outcome = $of($answer, $ended); const $status = $kind === "response"',
    fits: ({ failure, shape }) => shape === "total" && (failure === "stored_500" || failure === "lost"),
  },
  {
    name: "resumes-over-an-operators-pause",
    check: "leavesPausesAlone",
    folder: "worker",
    from: 'return $phase === "open" && $by === "breaker";',
    to: 'return $phase === "open";',
    fits: ({ pauseAtProbe, shape }) => shape === "total" && pauseAtProbe !== undefined,
  },
  {
    name: "breaker-opens-on-rejections",
    check: "opensOnFailures",
    folder: "shared",
    from: 'return $refusals.has($status) ? undefined : "answered";',
    to: 'return $refusals.has($status) ? undefined : "failed";',
    fits: (plan) => plan.shape === "none" && hasPoison(plan, "refused"),
  },
  {
    name: "bucket-leaks",
    check: "keepsPace",
    folder: "worker",
    from: "$tokens + ($elapsed * $rate) / 1_000",
    to: "$tokens + ($elapsed * $rate) / 100",
    fits: ({ shape, messages }) => shape === "total" && messages.every(({ events }) => events === 20),
  },
  {
    name: "lent-tokens-stay-in-the-bucket",
    check: "keepsPace",
    folder: "worker",
    from: "/ 1_000) - $wanted; return $left",
    to: "/ 1_000); return $left",
    fits: ({ messages, ratePerSecond }) => isStream(messages) && ratePerSecond === 80,
  },
  {
    name: "failures-leave-tokens-held",
    check: "asksAgain",
    folder: "worker",
    from: "$memory.delivered = 0; $memory.$held.$drop();",
    to: "$memory.delivered = 0;",
    fits: ({ shape, messages }) => shape === "total" && isStream(messages),
  },
  {
    name: "held-tokens-last-for-ever",
    check: "asksAgain",
    folder: "worker",
    from: "return $ago >= 0 && $ago < $span ?",
    to: "return $ago >= 0 ?",
    fits: ({ messages }) => messages.length >= 40 && messages.every(({ events }) => events === 1),
  },
  {
    name: "probes-only-with-events-that-failed",
    check: "arrivesInTime",
    folder: "worker",
    from: '$failed >= Math.min($waiting, $known) * 2 ** $untried ? "queue" : "ledger"',
    to: '$failed >= Math.min($waiting, $known) * 2 ** $untried ? "ledger" : "ledger"',
    fits: (plan) => plan.shape !== "none" && hasPoison(plan, "failing"),
  },
  {
    name: "restart-forgets-the-breaker",
    check: "arrivesInTime",
    folder: "worker",
    from: '{ ...CLOSED, ...$get<Breaker>("breaker") }',
    to: "{ ...CLOSED }",
    fits: (plan) => plan.shape === "total" && plan.crashes.length === 10 && lengthMs(plan) > TEN_MINUTES_MS,
  },
  {
    name: "resumes-before-the-others-are-sent",
    check: "spendsTwoAttempts",
    folder: "worker",
    from: 'return drain($queue, $first === "delivered" ? 1 : 0, $ports);',
    to: 'return { kind: "up", delivered: $first === "delivered" ? 1 : 0 };',
    fits: (plan) => plan.shape === "flapping" && plan.flapMs > 60_000 && plan.flapMs < TEN_MINUTES_MS,
  },
  {
    name: "breaker-never-opens",
    check: "spendsTwoAttempts",
    folder: "worker",
    from: 'return $verdict === "failed" ? $failure(',
    to: 'return $verdict === "nothing" ? $failure(',
    fits: (plan) => plan.shape === "total" && lengthMs(plan) > TEN_MINUTES_MS,
  },
  {
    name: "late-events-are-left-to-the-queue",
    check: "arrivesInTime",
    folder: "worker",
    from: "const $late = $ports.now() - $age;",
    to: "const $late = 0;",
    fits: (plan) => plan.shape === "every_second" && lengthMs(plan) > TEN_MINUTES_MS,
  },
  {
    name: "an-unknown-result-is-never-repeated",
    check: "noDeadLetter",
    folder: "worker",
    from: "if ($now - $first < $window) return $send($row, $claim, $lease, $now);",
    to: "if ($now < 0) return $send($row, $claim, $lease, $now);",
    fits: ({ shape, failure }) => shape === "every_second" && failure === "500",
  },
];
