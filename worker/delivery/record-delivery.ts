/** Delivers the records of one message: claims, sends, stores dead letters, settles. Each record has its own result. */
import { lateOutcomeId } from "../../shared/event-id.ts";
import type { AuditRecord } from "../../shared/record.ts";
import type { DeadLetterEntry } from "../dead-letters/entry.ts";
import { claimOf } from "../ledger/claim.ts";
import type { Grant, Settlement } from "../ledger/types.ts";
import { expiredEntry, refusedEntry, unsentEntry } from "./dead-letters.ts";
import { sendAll, type AttemptResult } from "./lanes.ts";
import type { Delivery, DeliverPorts, RecordEvent, RecordResult } from "./ports.ts";

type SendGrant = Extract<Grant, { kind: "send" }>;

/** An event that was sent or, with an attempt that says why not, held back. */
interface SentEvent {
  readonly step: "sent";
  readonly grant: SendGrant;
  readonly body: string;
  readonly ended: AttemptResult;
  /** WorkOS rejected it. */
  readonly letter?: DeadLetterEntry;
}

/** What has become of a record, by the last step of its delivery that it reached. */
type Progress =
  /** No event could be made of it now, or the ledger did not name it. */
  | { readonly step: "unclaimed"; readonly reason: string }
  /** It can never be sent. */
  | { readonly step: "refused"; readonly letter: DeadLetterEntry }
  /** The ledger granted no attempt. */
  | { readonly step: "not_granted"; readonly grant: Exclude<Grant, { kind: "send" | "expired" }> }
  | SentEvent
  /** Its end could not be stored, so the next delivery repeats it. */
  | { readonly step: "not_stored"; readonly reason: string; readonly sent?: SentEvent };

/** A record during a delivery. */
interface Tracked {
  readonly record: AuditRecord;
  readonly progress: Progress;
}

/** Delivers records, each event id once. Rejects only if the ledger cannot be reached before anything was sent. */
export async function deliverRecords(
  records: readonly AuditRecord[],
  delivery: Delivery,
  ports: DeliverPorts,
): Promise<readonly RecordResult[]> {
  const { kept, repeated } = onePerId(records);
  const first = await prepareAndSend(kept, delivery, ports);
  const late = await prepareAndSend(first.flatMap(lateOutcomeOf), delivery, ports);
  const parked = await parkLetters([...first, ...late], ports);
  const ended = await settleSent(parked, delivery, ports);
  const lateOnes = new Map(ended.slice(first.length).map((tracked) => [tracked.record.corrects, tracked]));
  const results = ended
    .slice(0, first.length)
    .map((tracked) => finishBoth(tracked, lateOnes.get(tracked.record.id), ports));
  return [...results, ...repeated.map(({ id }): RecordResult => ({ id, kind: "skipped", reason: "repeated" }))];
}

/** Among records with the same event id, the outcome goes before an intent or a watchdog's record; otherwise the first wins. */
function onePerId(records: readonly AuditRecord[]) {
  const kept = new Map<string, AuditRecord>();
  const repeated: AuditRecord[] = [];
  for (const record of records) {
    const known = kept.get(record.id);
    const isBetter = known !== undefined && known.stage !== "outcome" && record.stage === "outcome";
    if (known) repeated.push(isBetter ? known : record);
    if (!known || isBetter) kept.set(record.id, record);
  }
  return { kept: [...kept.values()], repeated };
}

/**
 * An outcome that came too late to replace what was already sent. It becomes a second event with its own id, because WorkOS may
 * ignore new bytes under a known key.
 */
function lateOutcomeOf({ record, progress }: Tracked): readonly AuditRecord[] {
  const isLate =
    progress.step === "sent"
      ? progress.grant.isOlderStage === true && progress.ended.outcome.kind === "delivered"
      : progress.step === "not_granted" && progress.grant.kind === "late";
  return isLate ? [{ ...record, id: lateOutcomeId(record.id), corrects: record.id }] : [];
}

async function prepareAndSend(
  records: readonly AuditRecord[],
  delivery: Delivery,
  ports: DeliverPorts,
): Promise<readonly Tracked[]> {
  if (records.length === 0) return [];
  const prepared = await ports.prepare(records);
  const ready: ReadyRecord[] = [];
  const reached = new Map<string, Progress>();
  for (const [index, record] of records.entries()) {
    const made = prepared[index] ?? { kind: "retry", reason: "not_prepared" };
    if (made.kind === "ready") ready.push({ record, body: made.body });
    else if (made.kind === "retry") reached.set(record.id, { step: "unclaimed", reason: made.reason });
    else {
      const letter = unsentEntry(record, "rejected", made.reason, delivery, ports.now());
      reached.set(record.id, { step: "refused", letter });
    }
  }
  const claimed = ready.length > 0 ? await claimAndSend(ready, delivery, ports) : [];
  for (const [id, progress] of claimed) reached.set(id, progress);
  return records.map((record) => ({
    record,
    progress: reached.get(record.id) ?? { step: "unclaimed", reason: "not_claimed" },
  }));
}

interface ReadyRecord {
  readonly record: AuditRecord;
  /** What to send if the ledger has no other bytes. */
  readonly body: string;
}

/** Returns how far each record that the ledger names came, by event id. */
async function claimAndSend(
  claimed: readonly ReadyRecord[],
  delivery: Delivery,
  ports: DeliverPorts,
): Promise<ReadonlyMap<string, Progress>> {
  const byId = new Map(claimed.map((one) => [one.record.id, one]));
  const claims = claimed.map(({ record, body }) => claimOf(record, body));
  const startMs = ports.now();
  const reached = new Map<string, Progress>();
  const granted = new Map<string, ReadyRecord & { readonly grant: SendGrant }>();
  for (const grant of await ports.ledger.claim(delivery.lease, claims, startMs)) {
    const { id } = grant;
    const one = byId.get(id);
    if (!one) continue;
    if (grant.kind === "send") granted.set(id, { ...one, grant, body: grant.body ?? one.body });
    else if (grant.kind !== "expired") reached.set(id, { step: "not_granted", grant });
    else reached.set(id, { step: "refused", letter: expiredEntry(one.record, grant, delivery, startMs) });
  }
  const ready = [...granted].map(([id, { grant, body }]) => ({ id, body, key: grant.key }));
  const all = await sendAll(ready, startMs, ports, delivery.held);
  ports.heard(all.flatMap(({ verdict }) => verdict ?? []));
  for (const ended of all) {
    const one = granted.get(ended.id);
    if (!one) continue;
    const { record, ...sent } = one;
    const isRejected = ended.outcome.kind === "reject";
    const letter = isRejected ? { letter: refusedEntry(record, sent.grant, ended.attempt, delivery) } : {};
    reached.set(ended.id, { step: "sent", ...sent, ended, ...letter });
  }
  return reached;
}

/** Stores dead letters before the ledger records the end, so that a crash in between repeats the attempt and loses nothing. */
async function parkLetters(all: readonly Tracked[], ports: DeliverPorts): Promise<readonly Tracked[]> {
  const letters = all.flatMap(({ progress }) => letterOf(progress) ?? []);
  if (letters.length === 0) return all;
  try {
    await ports.park(letters);
    return all;
  } catch {
    const isUnstored = ({ progress }: Tracked) => letterOf(progress) !== undefined;
    return all.map((tracked) => (isUnstored(tracked) ? notStored(tracked, "archive_unreachable") : tracked));
  }
}

async function settleSent(
  all: readonly Tracked[],
  delivery: Delivery,
  ports: DeliverPorts,
): Promise<readonly Tracked[]> {
  const settlements = all.flatMap((tracked) => settlementOf(tracked, ports));
  if (settlements.length === 0) return all;
  try {
    await ports.ledger.settle(delivery.lease, settlements, ports.now());
    return all;
  } catch {
    // The ledger still shows the attempts as leased; the next delivery sends the same bytes under the same key.
    return all.map((tracked) => (sentOf(tracked.progress) ? notStored(tracked, "ledger_unreachable") : tracked));
  }
}

function letterOf(progress: Progress): DeadLetterEntry | undefined {
  return progress.step === "refused" || progress.step === "sent" ? progress.letter : undefined;
}

function sentOf(progress: Progress): SentEvent | undefined {
  if (progress.step === "sent") return progress;
  return progress.step === "not_stored" ? progress.sent : undefined;
}

function notStored({ record, progress }: Tracked, reason: string): Tracked {
  const sent = sentOf(progress);
  return { record, progress: { step: "not_stored", reason, ...(sent && { sent }) } };
}

/** A rejection whose dead letter could not be stored counts as a retry, so that the event is sent again. */
function settlementOf({ record, progress }: Tracked, { leafOf }: DeliverPorts): readonly Settlement[] {
  const sent = sentOf(progress);
  if (!sent) return [];
  const { attempt, outcome } = sent.ended;
  if (outcome.kind === "delivered") return [{ id: record.id, attempt, ...leafOf?.(sent.body) }];
  const isRetried = outcome.kind === "reject" && progress.step === "not_stored";
  return [{ id: record.id, attempt: isRetried ? { ...attempt, outcome: "retry" } : attempt }];
}

/** If a record has a late outcome, the result of that one counts. */
function finishBoth(tracked: Tracked, late: Tracked | undefined, ports: DeliverPorts): RecordResult {
  if (!late) return finish(tracked, ports);
  if (sentOf(tracked.progress)) finish(tracked, ports);
  return { ...finish(late, ports), id: tracked.record.id };
}

function finish({ record, progress }: Tracked, ports: DeliverPorts): RecordResult {
  const result = resultOf(record.id, progress);
  ports.observe(eventOf(record, progress, result));
  return result;
}

function resultOf(id: string, progress: Progress): RecordResult {
  if (progress.step === "refused") return resultOfLetter(id, progress.letter);
  if (progress.step === "not_granted") return resultOfGrant(progress.grant);
  if (progress.step === "sent") {
    return progress.letter ? resultOfLetter(id, progress.letter) : resultOfAttempt(id, progress);
  }
  return { id, kind: "retry", reason: progress.reason };
}

function resultOfLetter(id: string, letter: DeadLetterEntry): RecordResult {
  return { id, kind: "dead_letter", class: letter.class, reason: letter.reason };
}

function resultOfGrant(grant: Extract<Progress, { step: "not_granted" }>["grant"]): RecordResult {
  const { id } = grant;
  if (grant.kind === "skip") return { id, kind: "skipped", reason: grant.why };
  if (grant.kind === "rejected") return { id, kind: "dead_letter", class: "rejected", reason: grant.reason };
  if (grant.kind === "leased") return { id, kind: "retry", reason: "leased", retryAfterMs: grant.retryAfterMs };
  return { id, kind: "retry", reason: "not_claimed" };
}

function resultOfAttempt(id: string, { ended, grant }: SentEvent): RecordResult {
  const { outcome, attempt } = ended;
  if (outcome.kind === "delivered") return { id, kind: "delivered" };
  if (outcome.kind === "pause") return { id, kind: "retry", reason: outcome.reason, pause: true };
  const { reason } = outcome;
  const retryAfterMs = outcome.kind === "retry" ? outcome.retryAfterMs : undefined;
  if (retryAfterMs === undefined) return { id, kind: "retry", reason };
  return { id, kind: "retry", reason, retryAfterMs, beganAtMs: grant.beganAtMs ?? attempt.atMs };
}

function eventOf(record: AuditRecord, progress: Progress, result: RecordResult): RecordEvent {
  const sent = sentOf(progress);
  if (!sent) return { record, result };
  const { status, durationMs, wrote } = sent.ended.attempt;
  const { attempt: number, key } = sent.grant;
  return { record, result, attempt: { number, key, durationMs, wrote, ...(status === undefined ? {} : { status }) } };
}
