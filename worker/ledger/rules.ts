/** The rules of the ledger, pure: who may send what under which key, and how the end of an attempt changes a row. */
import { IDEMPOTENCY_SAFE_MS, LEASE_MS } from "../../shared/limits.ts";
import type { Stage } from "../../shared/record.ts";
import type { Claim, Grant, Leaf, LedgerAttempt, LedgerState } from "./types.ts";

/** Attempts kept of a record that fails for weeks; the newest are kept. Our choice. */
const MAX_ATTEMPTS_KEPT = 20;

/** What the ledger remembers of one event id. */
export interface LedgerRow {
  readonly id: string;
  readonly state: LedgerState;
  /** What the ended attempts say; an attempt that is under way, or whose delivery was lost, counts as `maybe`. */
  readonly wrote: "yes" | "no" | "maybe";
  readonly stage: Stage;
  readonly key: string;
  /** The frozen bytes; null once the record has ended. */
  readonly body: string | null;
  readonly replays: number;
  /** Start of WorkOS's idempotency window for `key`. */
  readonly firstMs: number;
  readonly lease: string | null;
  readonly leaseUntilMs: number;
  readonly attempts: readonly LedgerAttempt[];
  readonly reason: string | null;
  readonly occurredMs: number;
  readonly requestId: string | null;
  readonly isolate?: string;
  readonly sequence?: number;
  /** The leaf of the event and the quarter of its delivery; absent before that, or if no evidence was kept then. */
  readonly evidence?: Leaf & { readonly quarter: number };
}

/** A grant, with the row to store if the claim changes it. */
export interface ClaimDecision {
  readonly grant: Grant;
  readonly row?: LedgerRow;
}

/** Decides one claim by what is known about its event id. */
export function decide(known: LedgerRow | undefined, claim: Claim, lease: string, nowMs: number): ClaimDecision {
  const { id } = claim;
  if (!known) return send(freshRow(claim, nowMs), claim, lease, nowMs);
  if (known.state === "delivered" && outranks(claim, known)) return { grant: { id, kind: "late" } };
  if (known.state === "delivered" || known.state === "discarded") return skip(id, known.state);
  // The same delivery asks again because the answer to its first claim was lost; it has sent nothing yet.
  const isOwn = known.lease === lease;
  if (known.lease !== null && known.leaseUntilMs > nowMs && !isOwn) {
    return { grant: { id, kind: "leased", retryAfterMs: known.leaseUntilMs - nowMs } };
  }
  // An intent or a watchdog's record never replaces an outcome, whatever happened to that.
  if (known.stage === "outcome" && claim.stage !== "outcome") return skip(id, "superseded");
  const row = isOwn ? { ...known, lease: null } : withLostAttempt(known);
  const isNewReplay = claim.replay !== undefined && claim.replay.n > row.replays;
  if (row.state === "rejected") return decideRejected(row, claim, lease, nowMs, isNewReplay);
  return row.wrote === "maybe"
    ? decideMaybe(row, claim, lease, nowMs, isNewReplay)
    : decideUnwritten(row, claim, lease, nowMs, isNewReplay);
}

/** WorkOS may repeat its stored refusal, so a new attempt needs a new key. */
function decideRejected(
  row: LedgerRow,
  claim: Claim,
  lease: string,
  nowMs: number,
  isNewReplay: boolean,
): ClaimDecision {
  if (isNewReplay) return send(reopen(row, claim, replayKey(claim), nowMs), claim, lease, nowMs);
  if (outranks(claim, row)) return send(reopen(row, claim, `${row.id}:outcome`, nowMs), claim, lease, nowMs);
  return { grant: { id: row.id, kind: "rejected", reason: row.reason ?? "rejected" } };
}

/** Keeps the key and the bytes while WorkOS remembers the key; after that, only an operator may risk a second event. */
function decideMaybe(row: LedgerRow, claim: Claim, lease: string, nowMs: number, isNewReplay: boolean): ClaimDecision {
  // Mended bytes under the first key would fail: WorkOS would repeat its answer to the original bytes.
  if (isNewReplay && claim.replay?.mended && claim.replay.acceptDuplicates) {
    return send(reopen(row, claim, replayKey(claim), nowMs), claim, lease, nowMs);
  }
  // A request that starts now must also end inside the window.
  if (nowMs - row.firstMs < IDEMPOTENCY_SAFE_MS) return send(row, claim, lease, nowMs);
  if (isNewReplay && claim.replay?.acceptDuplicates) {
    return send(reopen(row, claim, replayKey(claim), nowMs), claim, lease, nowMs);
  }
  const { attempts, firstMs } = row;
  return {
    grant: { id: row.id, kind: "expired", attempts: attempts.length, firstAttemptAtMs: firstMs },
    row: { ...row, lease: null },
  };
}

/** Nothing was written, so the window starts again, and better bytes may replace the frozen ones. */
function decideUnwritten(
  row: LedgerRow,
  claim: Claim,
  lease: string,
  nowMs: number,
  isNewReplay: boolean,
): ClaimDecision {
  if (isNewReplay && claim.replay?.mended) {
    return send(reopen(row, claim, replayKey(claim), nowMs), claim, lease, nowMs);
  }
  if (outranks(claim, row)) {
    // A refusal that could not be stored as a dead letter appears here as a retry, and WorkOS may repeat it under its key.
    const key = row.attempts.length === 0 ? row.key : `${row.id}:outcome`;
    return send(reopen(row, claim, key, nowMs), claim, lease, nowMs);
  }
  return send({ ...row, firstMs: nowMs }, claim, lease, nowMs);
}

/** The grant of an unknown event id. */
export function freshGrant(id: string, nowMs: number): Grant {
  return { id, kind: "send", key: id, attempt: 1, firstAttemptAtMs: nowMs };
}

/** The grant of an event id that the ledger may have forgotten; undefined if an operator accepts a duplicate. */
export function forgottenGrant({ id, replay }: Claim, mintedMs: number): Grant | undefined {
  return replay?.acceptDuplicates ? undefined : { id, kind: "expired", attempts: 0, firstAttemptAtMs: mintedMs };
}

function skip(id: string, why: "delivered" | "discarded" | "superseded"): ClaimDecision {
  return { grant: { id, kind: "skip", why } };
}

function send(row: LedgerRow, claim: Claim, lease: string, nowMs: number): ClaimDecision {
  const leased: LedgerRow = {
    ...row,
    replays: Math.max(row.replays, claim.replay?.n ?? 0),
    lease,
    leaseUntilMs: nowMs + LEASE_MS,
  };
  const frozen = row.body !== null && row.body !== claim.body ? { body: row.body } : {};
  const attempt = row.attempts.length + 1;
  const [first] = row.attempts;
  const began = first === undefined ? {} : { beganAtMs: first.atMs };
  const grant: Grant = {
    id: row.id,
    kind: "send",
    key: row.key,
    attempt,
    firstAttemptAtMs: row.firstMs,
    ...began,
    ...frozen,
    ...(outranks(claim, row) ? { isOlderStage: true as const } : {}),
  };
  return { grant, row: leased };
}

/**
 * Returns the row of a waiting record, leased to a probe. Undefined if nothing may be sent: the record has ended, a delivery holds
 * it, or WorkOS may hold the event and no longer remembers its key.
 */
export function leaseWaiting(known: LedgerRow | undefined, lease: string, nowMs: number): LedgerRow | undefined {
  if (known?.state !== "pending" || known.body === null) return undefined;
  if (known.lease !== null && known.leaseUntilMs > nowMs) return undefined;
  const row = withLostAttempt(known);
  if (row.wrote !== "no" && nowMs - row.firstMs >= IDEMPOTENCY_SAFE_MS) return undefined;
  return { ...row, firstMs: row.wrote === "no" ? nowMs : row.firstMs, lease, leaseUntilMs: nowMs + LEASE_MS };
}

/** The row of a claim before anything is sent. */
export function freshRow(claim: Claim, nowMs: number): LedgerRow {
  return {
    id: claim.id,
    state: "pending",
    wrote: "no",
    stage: claim.stage,
    key: claim.id,
    body: claim.body,
    replays: 0,
    firstMs: nowMs,
    lease: null,
    leaseUntilMs: 0,
    attempts: [],
    reason: null,
    occurredMs: claim.occurredAtMs,
    requestId: claim.requestId ?? null,
    ...(claim.isolate === undefined ? {} : { isolate: claim.isolate, sequence: claim.sequence ?? 0 }),
  };
}

/** The same event id with new bytes; keeps the history. */
function reopen(row: LedgerRow, claim: Claim, key: string, nowMs: number): LedgerRow {
  return { ...freshRow(claim, nowMs), key, replays: row.replays, attempts: row.attempts };
}

function replayKey(claim: Claim): string {
  return `${claim.id}:r${claim.replay?.n ?? 0}`;
}

function outranks(claim: Claim, row: LedgerRow): boolean {
  return claim.stage === "outcome" && row.stage !== "outcome";
}

/** A lease that nobody settled: its request may have reached WorkOS. */
function withLostAttempt(row: LedgerRow): LedgerRow {
  if (row.lease === null) return row;
  const lost: LedgerAttempt = { atMs: row.leaseUntilMs - LEASE_MS, durationMs: 0, outcome: "lost", wrote: "maybe" };
  return { ...row, wrote: row.wrote === "yes" ? "yes" : "maybe", lease: null, attempts: keep(row.attempts, lost) };
}

/**
 * Returns the row after an attempt. Anyone may report `delivered`; any other end counts only from the holder of the lease, because
 * a late answer must not undo what a newer delivery knows.
 */
export function afterAttempt(row: LedgerRow, lease: string, attempt: LedgerAttempt): LedgerRow {
  const attempts = keep(row.attempts, attempt);
  const isHolder = row.lease === lease;
  const released = isHolder ? { lease: null } : {};
  if (attempt.outcome === "delivered") {
    return { ...row, ...released, attempts, state: "delivered", wrote: "yes", body: null, reason: null };
  }
  if (row.state !== "pending") return { ...row, attempts };
  if (attempt.outcome === "reject" && isHolder) {
    return {
      ...row,
      ...released,
      attempts,
      state: "rejected",
      wrote: "no",
      body: null,
      reason: attempt.reason ?? null,
    };
  }
  const wrote = attempt.wrote === "maybe" || row.wrote === "maybe" ? "maybe" : "no";
  return { ...row, ...released, attempts, wrote };
}

/** Returns the row after an operator discarded the record, which must not be under way. */
export function afterDiscard(row: LedgerRow, reason: string): LedgerRow {
  return { ...withLostAttempt(row), state: "discarded", body: null, reason };
}

function keep(attempts: readonly LedgerAttempt[], next: LedgerAttempt): readonly LedgerAttempt[] {
  return [...attempts, next].slice(-MAX_ATTEMPTS_KEPT);
}
