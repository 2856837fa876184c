/** Delivers the records of one message: claims, sends, stores dead letters, settles. Each record has its own result. */
import { lateOutcomeId } from "../../shared/event-id.ts";
import type { AuditRecord } from "../../shared/record.ts";
import type { DeadLetterEntry } from "../dead-letters/entry.ts";
import { claimOf } from "../ledger/claim.ts";
import type { Claim, Grant, Settlement } from "../ledger/types.ts";
import { expiredEntry, refusedEntry, unsentEntry } from "./dead-letters.ts";
import { sendAll, type AttemptResult } from "./lanes.ts";
import type { PreparedEvent } from "../prepared-event.ts";
import type { Delivery, DeliverPorts, RecordEvent, RecordResult } from "./ports.ts";

/** One record during a delivery; each step fills in what it learns. */
interface Job {
  readonly record: AuditRecord;
  prepared?: PreparedEvent;
  grant?: Grant;
  /** What is sent, if anything. */
  body?: string;
  ended?: AttemptResult;
  letter?: DeadLetterEntry;
  result?: RecordResult;
}

/** Delivers records, each event id once. Rejects only if the ledger cannot be reached before anything was sent. */
export async function deliverRecords(
  records: readonly AuditRecord[],
  delivery: Delivery,
  ports: DeliverPorts,
): Promise<readonly RecordResult[]> {
  const { jobs, repeated } = onePerId(records);
  await prepareJobs(jobs, delivery, ports);
  await claimAndSend(jobs, delivery, ports);
  const late = lateJobs(jobs);
  if (late.size > 0) {
    await prepareJobs([...late.values()], delivery, ports);
    await claimAndSend([...late.values()], delivery, ports);
  }
  const all = [...jobs, ...late.values()];
  if (all.some(({ letter }) => letter)) await parkJobs(all, ports);
  await settleJobs(all, delivery, ports);
  const results = jobs.map((job) => finishBoth(job, late.get(job), ports));
  return [...results, ...repeated.map(({ id }): RecordResult => ({ id, kind: "skipped", reason: "repeated" }))];
}

/** Among records with the same event id, the outcome goes before an intent or a watchdog's record; otherwise the first wins. */
function onePerId(records: readonly AuditRecord[]): { jobs: readonly Job[]; repeated: readonly AuditRecord[] } {
  const jobs = new Map<string, Job>();
  const repeated: AuditRecord[] = [];
  for (const record of records) {
    const known = jobs.get(record.id);
    if (!known) jobs.set(record.id, { record });
    else if (known.record.stage !== "outcome" && record.stage === "outcome") {
      repeated.push(known.record);
      jobs.set(record.id, { record });
    } else repeated.push(record);
  }
  return { jobs: [...jobs.values()], repeated };
}

/**
 * Outcomes that came too late to replace what was already sent. Each becomes a second event with its own id, because WorkOS may
 * ignore new bytes under a known key.
 */
function lateJobs(jobs: readonly Job[]): ReadonlyMap<Job, Job> {
  const late = jobs.filter(({ grant, ended }) => {
    if (grant?.kind === "late") return true;
    return grant?.kind === "send" && grant.isOlderStage === true && ended?.outcome.kind === "delivered";
  });
  return new Map(
    late.map((job) => [job, { record: { ...job.record, id: lateOutcomeId(job.record.id), corrects: job.record.id } }]),
  );
}

async function prepareJobs(jobs: readonly Job[], delivery: Delivery, ports: DeliverPorts): Promise<void> {
  const prepared = await ports.prepare(jobs.map(({ record }) => record));
  for (const [index, job] of jobs.entries()) {
    const made = prepared[index] ?? { kind: "retry", reason: "not_prepared" };
    job.prepared = made;
    if (made.kind === "retry") job.result = { id: job.record.id, kind: "retry", reason: made.reason };
    if (made.kind === "rejected") job.letter = unsentEntry(job.record, "rejected", made.reason, delivery, ports.now());
  }
}

async function claimAndSend(jobs: readonly Job[], delivery: Delivery, ports: DeliverPorts): Promise<void> {
  const bodies = new Map<string, string>();
  const claims: Claim[] = [];
  for (const { record, prepared } of jobs) {
    if (prepared?.kind !== "ready") continue;
    bodies.set(record.id, prepared.body);
    claims.push(claimOf(record, prepared.body));
  }
  if (claims.length === 0) return;
  const startMs = ports.now();
  const byId = new Map(jobs.map((job) => [job.record.id, job]));
  const ready = [];
  for (const grant of await ports.ledger.claim(delivery.lease, claims, startMs)) {
    const job = byId.get(grant.id);
    if (job) job.grant = grant;
    if (job && grant.kind === "expired") job.letter = expiredEntry(job.record, grant, delivery, startMs);
    const body = grant.kind === "send" ? (grant.body ?? bodies.get(grant.id)) : undefined;
    if (grant.kind !== "send" || body === undefined) continue;
    if (job) job.body = body;
    ready.push({ id: grant.id, body, key: grant.key });
  }
  const all = await sendAll(ready, startMs, ports, delivery.held);
  ports.heard(all.flatMap(({ verdict }) => verdict ?? []));
  for (const ended of all) {
    const job = byId.get(ended.id);
    if (!job) continue;
    job.ended = ended;
    if (job.grant?.kind === "send" && ended.outcome.kind === "reject") {
      job.letter = refusedEntry(job.record, job.grant, ended.attempt, delivery);
    }
  }
}

/** Stores dead letters before the ledger records the end, so that a crash in between repeats the attempt and loses nothing. */
async function parkJobs(jobs: readonly Job[], ports: DeliverPorts): Promise<void> {
  const withLetter = jobs.filter(({ letter }) => letter);
  try {
    await ports.park(withLetter.flatMap(({ letter }) => letter ?? []));
  } catch {
    for (const job of withLetter) {
      delete job.letter;
      job.result = { id: job.record.id, kind: "retry", reason: "archive_unreachable" };
    }
  }
}

async function settleJobs(jobs: readonly Job[], delivery: Delivery, ports: DeliverPorts): Promise<void> {
  const settlements = jobs.flatMap((job) => settlementOf(job, ports));
  if (settlements.length === 0) return;
  try {
    await ports.ledger.settle(delivery.lease, settlements, ports.now());
  } catch {
    // The ledger still shows the attempts as leased; the next delivery sends the same bytes under the same key.
    for (const job of jobs) {
      if (job.ended) job.result = { id: job.record.id, kind: "retry", reason: "ledger_unreachable" };
    }
  }
}

function settlementOf({ record, ended, letter, body }: Job, { leafOf }: DeliverPorts): Settlement[] {
  if (!ended) return [];
  if (ended.outcome.kind === "delivered") {
    return [{ id: record.id, attempt: ended.attempt, ...(body === undefined ? {} : leafOf?.(body)) }];
  }
  const isParked = ended.outcome.kind !== "reject" || letter !== undefined;
  return [{ id: record.id, attempt: isParked ? ended.attempt : { ...ended.attempt, outcome: "retry" } }];
}

/** If a record has a late outcome, the result of that one counts. */
function finishBoth(job: Job, late: Job | undefined, ports: DeliverPorts): RecordResult {
  if (!late) return finish(job, ports);
  if (job.ended) finish(job, ports);
  return { ...finish(late, ports), id: job.record.id };
}

function finish(job: Job, ports: DeliverPorts): RecordResult {
  const result = job.result ?? resultOf(job);
  ports.observe(eventOf(job, result));
  return result;
}

function resultOf({ record, grant, ended, letter }: Job): RecordResult {
  const { id } = record;
  if (letter) return { id, kind: "dead_letter", class: letter.class, reason: letter.reason };
  if (ended) return resultOfAttempt(id, ended, grant);
  if (grant?.kind === "skip") return { id, kind: "skipped", reason: grant.why };
  if (grant?.kind === "rejected") return { id, kind: "dead_letter", class: "rejected", reason: grant.reason };
  if (grant?.kind === "leased") return { id, kind: "retry", reason: "leased", retryAfterMs: grant.retryAfterMs };
  return { id, kind: "retry", reason: "not_claimed" };
}

function resultOfAttempt(id: string, { outcome, attempt }: AttemptResult, grant: Grant | undefined): RecordResult {
  if (outcome.kind === "delivered") return { id, kind: "delivered" };
  if (outcome.kind === "pause") return { id, kind: "retry", reason: outcome.reason, pause: true };
  // A rejection without a dead letter means that storing it failed; `parkJobs` has logged it.
  const { reason } = outcome;
  const retryAfterMs = outcome.kind === "retry" ? outcome.retryAfterMs : undefined;
  const beganAtMs = (grant?.kind === "send" ? grant.beganAtMs : undefined) ?? attempt.atMs;
  return { id, kind: "retry", reason, ...(retryAfterMs === undefined ? {} : { retryAfterMs, beganAtMs }) };
}

function eventOf({ record, grant, ended }: Job, result: RecordResult): RecordEvent {
  if (!ended || grant?.kind !== "send") return { record, result };
  const { status, durationMs, wrote } = ended.attempt;
  const attempt = {
    number: grant.attempt,
    key: grant.key,
    durationMs,
    wrote,
    ...(status === undefined ? {} : { status }),
  };
  return { record, result, attempt };
}
