/** Proof that the oracle sees: each mutant breaks one place of the real source, and at least the named check must notice. */
import type { SourceMutation } from "./host/system.ts";

export interface Mutant extends SourceMutation {
  /** The check that must fail. */
  readonly check: string;
  /** Needs dozens of runs to be seen, so `npm test` leaves it out. */
  readonly rare?: true;
}

/** Patterns name what the code does, not how it calls things: see `host/pattern.ts`. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: "acknowledges-what-waits",
    check: "conserved",
    folder: "worker",
    from: '$answer(503, "undelivered", "Not delivered", $detail, $headers,',
    to: '$answer(200, "undelivered", "Not delivered", $detail, $headers,',
  },
  {
    name: "sweep-keeps-nothing",
    rare: true,
    check: "conserved",
    folder: "worker",
    from: "return $park($env, $found, [...$fresh]);",
    to: "return $found.length;",
  },
  {
    name: "operators-events-become-dead-letters",
    check: "asideSet",
    folder: "worker",
    from: "return $entries.filter(($entry) => !isAboutOperator($entry));",
    to: "return $entries;",
  },
  {
    name: "open-letters-are-never-reconciled",
    rare: true,
    check: "oneEnding",
    folder: "worker",
    from: '({ $state }) => $state === "delivered").map(({ $id }) => $id)',
    to: '({ $state }) => $state === "nothing").map(({ $id }) => $id)',
  },
  {
    name: "new-key-for-each-attempt",
    check: "noDuplicates",
    folder: "worker",
    from: '"idempotency-key": $key',
    to: '"idempotency-key": $key + crypto.randomUUID()',
  },
  {
    name: "window-of-the-key-is-forgotten",
    rare: true,
    check: "noDuplicates",
    folder: "worker",
    from: "if ($now - $first < $window) return $send($row, $claim, $lease, $now);",
    to: "if ($now > 0) return $send($row, $claim, $lease, $now);",
  },
  {
    name: "bytes-are-not-frozen",
    rare: true,
    check: "frozenBytes",
    folder: "worker",
    from: "$stored !== null && $stored !== $offered ? { $body: $stored } : {}",
    to: "{}",
  },
  {
    name: "outcome-reuses-the-key-of-an-answered-intent",
    rare: true,
    check: "frozenBytes",
    folder: "worker",
    from: "const $new = $row.attempts.length === 0 ? $row.key :",
    to: "const $new = $row.key ? $row.key :",
  },
  {
    name: "outcome-is-no-better-than-its-intent",
    rare: true,
    check: "outcomeWins",
    folder: "worker",
    from: 'return $claim === "outcome" && $row !== "outcome";',
    to: 'return $claim === "outcome" && $row === "none";',
  },
  {
    name: "another-status",
    check: "trueContent",
    folder: "worker",
    from: "http_status: $status,",
    to: "http_status: $status && 200,",
  },
  {
    name: "outbox-forgets-what-the-queue-refused",
    check: "outboxKeeps",
    folder: "worker",
    from: "{ return { $failure: $reason }; } $remove($message);",
    to: "{ $remove($message); } $remove($message);",
  },
  {
    name: "outbox-is-never-woken",
    rare: true,
    check: "quiet",
    folder: "worker",
    from: "if ($status().waiting > 0) void",
    to: "if ($status().waiting > 1e9) void",
  },
  {
    name: "ledger-forgets-deliveries",
    check: "sendsOnlyUndelivered",
    folder: "worker",
    from: 'if ($state === "delivered" || $state === "discarded")',
    to: 'if ($state === "discarded")',
  },
  {
    name: "any-success-is-a-delivery",
    rare: true,
    check: "believesTruth",
    folder: "shared",
    from: '"success" in $json ? $json["success"] !== true : $isError($json)',
    to: "false",
  },
  {
    name: "late-outcome-is-a-duplicate",
    check: "lateTold",
    folder: "worker",
    from: 'if ($known.state === "delivered" && $outranks($claim, $known))',
    to: "if (false)",
  },
  {
    name: "receipt-counts-what-waits",
    check: "trueReceipts",
    folder: "worker",
    from: 'if ($ledger?.state === "delivered") return $end($sql,',
    to: "if ($ledger) return $end($sql,",
  },
  {
    name: "hook-throws",
    check: "sameAnswers",
    folder: "policy",
    from: "($response, $latest) => $sent ? undefined :",
    to: "($response, $latest) => $sent ? $sent.at.fault :",
  },
  {
    name: "best-effort-is-awaited",
    check: "inTime",
    folder: "policy",
    from: '$after($live, () => $later($live, "outcome", $ending));',
    to: 'return $later($live, "outcome", $ending);',
  },
  {
    name: "durable-has-no-budget",
    check: "inTime",
    folder: "policy",
    from: "await Promise.race([$out, $sleep($ports, $budget)]);",
    to: "await $out;",
  },
  {
    name: "durable-waits-for-ever",
    check: "allAnswered",
    folder: "policy",
    from: "await Promise.race([$out, $sleep($ports, $budget)]);",
    to: "await new Promise(() => undefined);",
  },
  {
    name: "required-runs-without-intent",
    check: "required",
    folder: "policy",
    from: "&& (await $intend($one));",
    to: ";",
  },
  {
    name: "circuit-stays-open-too-long",
    rare: true,
    check: "lostOnlyFromMemory",
    folder: "policy",
    from: "const $first = 2_000; const $max = 10_000;",
    to: "const $first = 2_000; const $max = 30_000;",
  },
  {
    name: "taken-counts-as-sent",
    rare: true,
    check: "lostOnlyFromMemory",
    folder: "policy",
    from: "for (const $one of $taken) { $one.$out = $sent;",
    to: "for (const $one of $taken) { $one.$out = true;",
  },
];
