/** One ledger shard over any SQLite: claims, settlements, lookups. The caller passes the time. */
import { CHECK_ISOLATE_ID } from "../../shared/operator-actions.ts";
import { correctedId } from "../../shared/event-id.ts";
import type { Sql } from "../storage/sql.ts";
import { Counters } from "./counters.ts";
import { Notes } from "./notes.ts";
import { lowestIdAt, mintedMs, Retention } from "./retention.ts";
import {
  afterAttempt,
  afterDiscard,
  decide,
  type ClaimDecision,
  forgottenGrant,
  freshGrant,
  freshRow,
  leaseWaiting,
  type LedgerRow,
} from "./rules.ts";
import { Sealing } from "./sealing.ts";
import { LedgerStore } from "./store.ts";
import type {
  Claim,
  Grant,
  LedgerEntry,
  RequestSearch,
  SequenceRun,
  Settlement,
  WaitingEvent,
  WaitingSince,
} from "./types.ts";

export class LedgerShard {
  readonly counters: Counters;
  readonly notes: Notes;
  readonly retention: Retention;
  readonly sealing: Sealing;
  readonly #store: LedgerStore;
  readonly #keepsBodies: boolean;
  #savedCounters: string | undefined;

  /** `keepsBodies`: the bytes of a delivered event stay until the record is forgotten, for the copies in the evidence. */
  constructor(sql: Sql, keepsBodies = false) {
    this.#keepsBodies = keepsBodies;
    this.#store = new LedgerStore(sql);
    this.notes = new Notes(sql);
    this.retention = new Retention(sql, this.notes);
    this.sealing = new Sealing(sql);
    this.#savedCounters = this.#store.readCounters();
    this.counters = new Counters(this.#savedCounters);
  }

  claim(lease: string, claims: readonly Claim[], nowMs: number): readonly Grant[] {
    const granted = this.claimJson(lease, JSON.stringify(claims), claims.length, nowMs);
    return granted ?? claims.map(({ id }) => freshGrant(id, nowMs));
  }

  /** Takes a JSON list of claims and their count; undefined if all are granted as unknown event ids. */
  claimJson(lease: string, claimsJson: string, count: number, nowMs: number): readonly Grant[] | undefined {
    return this.#store.transaction(() => {
      const doubtful = this.#doubtful(claimsJson, nowMs);
      if (doubtful) return doubtful.map((claim) => this.#claimOne(lease, claim, nowMs));
      const added = this.#store.addFresh(lease, claimsJson, nowMs);
      for (const [id, isolate] of added) if (isolate !== CHECK_ISOLATE_ID) this.#countNew(id);
      if (added.size === count) return undefined;
      const claims = JSON.parse(claimsJson) as readonly Claim[];
      return claims.map((claim) =>
        added.has(claim.id) ? freshGrant(claim.id, nowMs) : this.#claimOne(lease, claim, nowMs),
      );
    });
  }

  /** Returns the claims if the shard may have forgotten one of them early; undefined if each unknown one is new. */
  #doubtful(claimsJson: string, nowMs: number): readonly Claim[] | undefined {
    if (this.retention.forgottenMs === 0) return undefined;
    const claims = JSON.parse(claimsJson) as readonly Claim[];
    return claims.some(({ id, occurredAtMs }) => this.retention.isForgotten(id, occurredAtMs, nowMs))
      ? claims
      : undefined;
  }

  #claimOne(lease: string, claim: Claim, nowMs: number): Grant {
    const known = this.#store.get(claim.id);
    const forgotten = known ? undefined : this.#forgotten(claim, nowMs);
    const { grant, row }: ClaimDecision = forgotten ? { grant: forgotten } : decide(known, claim, lease, nowMs);
    if (row) this.#store.put(row, nowMs);
    if (grant.kind === "expired") this.#store.endWait(claim.id);
    if (claim.isolate !== CHECK_ISOLATE_ID) {
      if (known === undefined && row) this.#countNew(claim.id);
      this.counters.claimed(grant);
    }
    return grant;
  }

  #forgotten(claim: Claim, nowMs: number): Grant | undefined {
    const { id, occurredAtMs } = claim;
    if (!this.retention.isForgotten(id, occurredAtMs, nowMs)) return undefined;
    return forgottenGrant(claim, mintedMs(id, occurredAtMs));
  }

  #countNew(id: string): void {
    if (correctedId(id) === undefined) this.counters.seen();
    else this.counters.late();
  }

  settle(lease: string, settlements: readonly Settlement[], nowMs: number): void {
    this.settleJson(lease, JSON.stringify(settlements), nowMs);
  }

  /** Takes a JSON list of settlements. */
  settleJson(lease: string, settlementsJson: string, nowMs: number): void {
    try {
      this.#store.transaction(() => this.#settleAll(lease, settlementsJson, nowMs));
    } catch (error) {
      this.sealing.reload();
      throw error;
    }
  }

  #settleAll(lease: string, settlementsJson: string, nowMs: number): void {
    const quarter = this.sealing.quarter(nowMs);
    const ended = this.#store.endDelivered(settlementsJson, nowMs, quarter, this.#keepsBodies);
    for (const settlement of JSON.parse(settlementsJson) as readonly Settlement[]) {
      const { id, attempt, leaf } = settlement;
      const row = ended.get(id);
      if (!row) {
        this.#settleOne(lease, settlement, nowMs);
        continue;
      }
      if (leaf !== undefined) this.sealing.delivered(id, quarter);
      if (row.isolate !== CHECK_ISOLATE_ID) this.counters.settled(attempt, row.occurredMs, nowMs);
    }
  }

  #settleOne(lease: string, { id, attempt, leaf, organization }: Settlement, nowMs: number): void {
    const known = this.#store.get(id);
    if (!known) return;
    const ended = afterAttempt(known, lease, attempt);
    const isNew = known.state !== "delivered" && ended.state === "delivered";
    const isSealed = isNew && leaf !== undefined && organization !== undefined;
    const quarter = this.sealing.quarter(nowMs);
    const body = this.#keepsBodies ? known.body : null;
    const row = isSealed ? { ...ended, body, evidence: { leaf, organization, quarter } } : ended;
    if (isSealed) this.sealing.delivered(id, quarter);
    this.#store.put(row, nowMs);
    if (row.state === "pending") this.#store.wait(id, row.occurredMs, nowMs);
    else if (known.attempts.length > 0) this.#store.endWait(id);
    if (row.isolate !== CHECK_ISOLATE_ID) this.counters.settled(attempt, known.occurredMs, nowMs);
  }

  /** Returns the bytes of delivered events, if they are kept. */
  bodies(ids: readonly string[]): readonly (readonly [id: string, body: string])[] {
    return this.#store.bodies(ids);
  }

  /** Returns those of the ids that this shard holds. */
  known(ids: readonly string[]): readonly string[] {
    return this.#store.known(ids);
  }

  /** Returns records that wait for their next attempt, longest wait since the last attempt first. */
  waitingSince(limit: number): readonly WaitingSince[] {
    return this.#store.waitingSince(limit);
  }

  /** Leases a waiting record and returns what to send; undefined if it may not be sent now. */
  claimWaiting(id: string, lease: string, nowMs: number): WaitingEvent | undefined {
    return this.#store.transaction(() => {
      const known = this.#store.get(id);
      const row = leaseWaiting(known, lease, nowMs);
      if (row) this.#store.put(row, nowMs);
      else if (known?.state !== "pending") this.#store.endWait(id);
      return row && row.body !== null ? { id, key: row.key, body: row.body } : undefined;
    });
  }

  lookup(ids: readonly string[], nowMs: number): readonly LedgerEntry[] {
    return ids.flatMap((id) => {
      const row = this.#store.get(id);
      return row ? [entryOf(row, nowMs)] : [];
    });
  }

  /** Returns event ids of a request id among the UUIDv7 minted between two times, lowest first; only those after `afterId`. */
  idsOfRequest({ requestId, sinceMs, untilMs, afterId, limit }: RequestSearch): readonly string[] {
    const fromId = lowestIdAt(sinceMs);
    return this.#store.idsOfRequest(requestId, afterId > fromId ? afterId : fromId, lowestIdAt(untilMs), limit);
  }

  /** Returns runs of sequence numbers among the UUIDv7 minted between two times. */
  sequenceRuns(sinceMs: number, untilMs: number): readonly SequenceRun[] {
    return this.#store.sequenceRuns(lowestIdAt(sinceMs), lowestIdAt(untilMs));
  }

  discard(id: string, reason: string, nowMs: number): "discarded" | "delivered" | "leased" {
    return this.#store.transaction(() => {
      const known = this.#store.get(id);
      if (known?.state === "delivered") return "delivered";
      if (known && known.lease !== null && known.leaseUntilMs > nowMs) return "leased";
      this.#store.put(afterDiscard(known ?? unseen(id, nowMs), reason), nowMs);
      this.#store.endWait(id);
      return "discarded";
    });
  }

  /** Notes that these records became dead letters and no longer wait for an attempt. */
  parked(ids: readonly string[]): void {
    for (const id of ids) this.#store.endWait(id);
  }

  waiting(): { readonly count: number; readonly oldestMs: number | null } {
    return this.#store.waiting();
  }

  /** Writes nothing if nothing was counted since. */
  saveCounters(): void {
    const json = this.counters.toJson();
    if (json === (this.#savedCounters ?? "{}")) return;
    this.#store.writeCounters(json);
    this.#savedCounters = json;
  }
}

function entryOf(row: LedgerRow, nowMs: number): LedgerEntry {
  const leased = row.lease !== null && row.leaseUntilMs > nowMs;
  const lost = row.lease !== null && row.wrote !== "yes";
  return {
    id: row.id,
    state: row.state,
    wrote: lost ? "maybe" : row.wrote,
    stage: row.stage,
    key: row.key,
    replays: row.replays,
    firstAttemptAtMs: row.firstMs,
    attempts: row.attempts,
    ...(row.reason === null ? {} : { reason: row.reason }),
    occurredAtMs: row.occurredMs,
    ...(row.requestId === null ? {} : { requestId: row.requestId }),
    leased,
  };
}

/** The row of an event id that was never claimed. */
function unseen(id: string, nowMs: number): LedgerRow {
  return freshRow({ id, stage: "outcome", body: "", occurredAtMs: nowMs }, nowMs);
}
