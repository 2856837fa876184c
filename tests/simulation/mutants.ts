/** Proof that the oracle sees: each mutant breaks one place of the real source, and at least the named check must notice. */
import type { SourceMutation } from "./host/system.ts";

export interface Mutant extends SourceMutation {
  /** The check that must fail. */
  readonly check: string;
  /** Takes dozens of runs to see, so that `npm test` leaves it out. */
  readonly rare?: true;
}

export const MUTANTS: readonly Mutant[] = [
  {
    name: "acknowledges-what-waits",
    check: "conserved",
    file: "worker/deliver/answer.ts",
    from: 'problemAnswer(503, "undelivered"',
    to: 'problemAnswer(200, "undelivered"',
  },
  {
    name: "sweep-archives-nothing",
    rare: true,
    check: "conserved",
    file: "worker/dead-letters/sweep.ts",
    from: "return parkDeadLetters(env, found, [...fresh]);",
    to: "return found.length;",
  },
  {
    name: "open-letters-are-never-reconciled",
    rare: true,
    check: "oneEnding",
    file: "worker/dead-letters/reconcile.ts",
    from: 'state === "delivered"',
    to: 'state === "nothing"',
  },
  {
    name: "new-key-for-each-attempt",
    check: "noDuplicates",
    file: "worker/workos.ts",
    from: '"idempotency-key": key',
    to: '"idempotency-key": key + crypto.randomUUID()',
  },
  {
    name: "window-of-the-key-is-forgotten",
    rare: true,
    check: "noDuplicates",
    file: "worker/ledger/rules.ts",
    from: "if (nowMs - row.firstMs < IDEMPOTENCY_SAFE_MS)",
    to: "if (nowMs > 0)",
  },
  {
    name: "bytes-are-not-frozen",
    rare: true,
    check: "frozenBytes",
    file: "worker/ledger/rules.ts",
    from: "row.body !== null && row.body !== claim.body ? { body: row.body } : {}",
    to: "{}",
  },
  {
    name: "outcome-reuses-the-key-of-an-answered-intent",
    rare: true,
    check: "frozenBytes",
    file: "worker/ledger/rules.ts",
    from: "row.attempts.length === 0 ? row.key",
    to: "row.key ? row.key",
  },
  {
    name: "outcome-is-no-better-than-its-intent",
    rare: true,
    check: "outcomeWins",
    file: "worker/ledger/rules.ts",
    from: 'return claim.stage === "outcome" && row.stage !== "outcome";',
    to: "return claim.stage === row.state;",
  },
  {
    name: "another-status",
    check: "trueContent",
    file: "worker/enrich.ts",
    from: "http_status: record.status,",
    to: "http_status: record.status && 200,",
  },
  {
    name: "outbox-forgets-what-the-queue-refused",
    check: "outboxKeeps",
    file: "worker/outbox/drain.ts",
    from: "return { failure: result.reason };",
    to: "store.remove(message.seq);",
  },
  {
    name: "outbox-is-never-woken",
    rare: true,
    check: "quiet",
    file: "worker/outbox/outbox.ts",
    from: "if (this.#store.status().waiting > 0)",
    to: "if (this.#store.status().waiting > 1e9)",
  },
  {
    name: "ledger-forgets-deliveries",
    check: "sendsOnlyUndelivered",
    file: "worker/ledger/rules.ts",
    from: 'if (known.state === "delivered" || known.state === "discarded")',
    to: 'if (known.state === "discarded")',
  },
  {
    name: "any-success-is-a-delivery",
    rare: true,
    check: "believesTruth",
    file: "shared/outcome.ts",
    from: 'if ("success" in json && json["success"] === false)',
    to: "if (json === undefined)",
  },
  {
    name: "receipt-counts-what-waits",
    check: "trueReceipts",
    file: "worker/replays/settle.ts",
    from: 'if (ledger?.state === "delivered")',
    to: "if (ledger)",
  },
  {
    name: "hook-throws",
    check: "sameAnswers",
    file: "policy/live.ts",
    from: "sent ? undefined :",
    to: "sent ? sent.at.fault :",
  },
  {
    name: "best-effort-is-awaited",
    check: "inTime",
    file: "policy/live.ts",
    from: 'live.proceed?.(() => later(live, "outcome", ending));',
    to: 'return later(live, "outcome", ending);',
  },
  {
    name: "durable-has-no-budget",
    check: "inTime",
    file: "policy/live.ts",
    from: "await Promise.race([out, sleep(ports, options.budgetMs)]);",
    to: "await out;",
  },
  {
    name: "durable-waits-for-ever",
    check: "allAnswered",
    file: "policy/live.ts",
    from: "await Promise.race([out, sleep(ports, options.budgetMs)]);",
    to: "await new Promise(() => undefined);",
  },
  {
    name: "required-runs-without-intent",
    check: "required",
    file: "policy/policy.ts",
    from: "required && (await intend(one))",
    to: "required",
  },
  {
    name: "circuit-stays-open-too-long",
    rare: true,
    check: "lostOnlyFromMemory",
    file: "policy/circuit.ts",
    from: "BLOCK_MAX_MS = 10_000",
    to: "BLOCK_MAX_MS = 30_000",
  },
  {
    name: "taken-counts-as-sent",
    rare: true,
    check: "lostOnlyFromMemory",
    file: "policy/shipper.ts",
    from: "one.out = sent;",
    to: "one.out = true;",
  },
];
