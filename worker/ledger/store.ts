/** The ledger's table: one row per event id, without a rowid and without an index, so that a claim and its end write one row each. */
import { toHex } from "../../shared/bytes.ts";
import { LEASE_MS } from "../../shared/limits.ts";
import type { Stage } from "../../shared/record.ts";
import { migrate } from "../storage/migration.ts";
import type { Sql } from "../storage/sql.ts";
import type { LedgerRow } from "./rules.ts";
import type { LedgerAttempt, LedgerState, SequenceRun, WaitingSince } from "./types.ts";

/** The database, version by version; see `migrate`. The first step is the schema that predates versions. */
export const STEPS: readonly string[] = [
  `
CREATE TABLE IF NOT EXISTS ledger (
  id TEXT PRIMARY KEY, state INTEGER NOT NULL, wrote INTEGER NOT NULL, stage INTEGER NOT NULL, key TEXT, body TEXT,
  replays INTEGER NOT NULL, first_ms INTEGER NOT NULL, lease TEXT, lease_until_ms INTEGER NOT NULL, attempts TEXT,
  reason TEXT, occurred_ms INTEGER NOT NULL, request_id TEXT, touched_ms INTEGER NOT NULL, isolate TEXT, sequence INTEGER
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS waiting (id TEXT PRIMARY KEY, occurred_ms INTEGER NOT NULL, touched_ms INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS counters (id INTEGER PRIMARY KEY, json TEXT NOT NULL);
`,
  // Rows that exist now come from a release with fewer shards, and some of them belong to another shard.
  `
CREATE TABLE shard_notes (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO shard_notes (name, value) SELECT 'had_rows', 1 WHERE EXISTS (SELECT 1 FROM ledger);
`,
  // The evidence: what was delivered in which quarter, and where to look for it. See `Sealing`.
  `
ALTER TABLE ledger ADD COLUMN leaf BLOB;
ALTER TABLE ledger ADD COLUMN organization TEXT;
ALTER TABLE ledger ADD COLUMN quarter INTEGER;
CREATE TABLE closed_quarters (id INTEGER PRIMARY KEY, since INTEGER NOT NULL, "until" INTEGER NOT NULL);
CREATE TABLE late_ranges (
  quarter INTEGER NOT NULL, from_id TEXT NOT NULL, until_id TEXT NOT NULL, PRIMARY KEY (quarter, from_id)
) WITHOUT ROWID;
`,
];

const COLUMNS = [
  "id",
  "state",
  "wrote",
  "stage",
  "key",
  "body",
  "replays",
  "first_ms",
  "lease",
  "lease_until_ms",
  "attempts",
  "reason",
  "occurred_ms",
  "request_id",
  "touched_ms",
  "isolate",
  "sequence",
] as const;

const PUT = `INSERT OR REPLACE INTO ledger (${COLUMNS.join(", ")}, leaf, organization, quarter)
VALUES (${COLUMNS.map(() => "?").join(", ")}, unhex(?), ?, ?)`;

/**
 * Builds the row of a first claim (pending, nothing written, leased) from the claim's JSON. `jsonb_each` passes each claim on in
 * parsed form; `json_each` would serialize it and parse it again. https://sqlite.org/json1.html#jeach
 */
const ADD_FRESH = `
INSERT INTO ledger (${COLUMNS.join(", ")})
SELECT value ->> 'id', 0, 0, CASE value ->> 'stage' WHEN 'outcome' THEN 0 WHEN 'intent' THEN 1 ELSE 2 END, NULL,
  value ->> 'body', 0, ?1, ?2, ?3, NULL, NULL, value ->> 'occurredAtMs', value ->> 'requestId', ?1, value ->> 'isolate',
  value ->> 'sequence'
FROM jsonb_each(?4) WHERE value ->> 'replay' IS NULL
ON CONFLICT DO NOTHING RETURNING id, isolate`;

/**
 * From pending to delivered, for a record without an earlier attempt, which nobody else can have claimed since. Its attempt text
 * matches `writeAttempts`.
 */
const END_DELIVERED = `
UPDATE ledger SET state = 1, wrote = 2, body = iif(?4, body, NULL), lease = NULL, touched_ms = ?1,
  leaf = unhex(ended.value ->> 'leaf'), organization = ended.value ->> 'organization',
  quarter = iif(ended.value ->> 'leaf' IS NULL, NULL, ?3),
  attempts = json_array(json_array(ended.value ->> '$.attempt.atMs', ended.value ->> '$.attempt.durationMs', 0, 2,
    ifnull(ended.value ->> '$.attempt.status', 0)))
FROM jsonb_each(?2) AS ended
WHERE ended.value ->> '$.attempt.outcome' = 'delivered' AND ledger.id = ended.value ->> 'id'
  AND ledger.state = 0 AND ledger.attempts IS NULL
RETURNING ledger.id, ledger.occurred_ms, ledger.isolate`;

/** What the counters need from an ended row. */
interface EndedRow {
  readonly occurredMs: number;
  readonly isolate: string | null;
}

/** In the order of their numbers in the column `state`. */
export const STATES: readonly LedgerState[] = ["pending", "delivered", "rejected", "discarded"];
/** In the order of their numbers in the column `wrote`. */
export const WROTE = ["no", "maybe", "yes"] as const;
const STAGES: readonly Stage[] = ["outcome", "intent", "watchdog"];
const OUTCOMES = ["delivered", "retry", "reject", "pause", "lost"] as const;

export class LedgerStore {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
    migrate(sql, STEPS);
  }

  transaction<T>(run: () => T): T {
    return this.#sql.transaction(run);
  }

  get(id: string): LedgerRow | undefined {
    const [found] = this.#sql.all("SELECT * FROM ledger WHERE id = ?", id);
    return found && readRow(found);
  }

  /** Returns those of the ids that have a row. */
  known(ids: readonly string[]): readonly string[] {
    const query = "SELECT id FROM ledger WHERE id IN (SELECT value FROM json_each(?))";
    return this.#sql.all(query, JSON.stringify(ids)).map(({ id }) => String(id));
  }

  /**
   * Adds rows for the claims (a JSON list) whose event id is new and that are not replays, and returns their ids and isolates. One
   * statement for all, without JavaScript, because every message pays for it.
   */
  addFresh(lease: string, claimsJson: string, nowMs: number): ReadonlyMap<string, string | null> {
    const added = this.#sql.all(ADD_FRESH, nowMs, lease, nowMs + LEASE_MS, claimsJson);
    return new Map(added.map(({ id, isolate }) => [String(id), isolate as string | null]));
  }

  /**
   * Ends records that were delivered at their first attempt, and returns them; leaves others unchanged. `keepsBodies`: see
   * `LedgerShard`.
   */
  endDelivered(
    settlementsJson: string,
    nowMs: number,
    quarter: number,
    keepsBodies: boolean,
  ): ReadonlyMap<string, EndedRow> {
    const ended = this.#sql.all(END_DELIVERED, nowMs, settlementsJson, quarter, keepsBodies ? 1 : 0);
    return new Map(
      ended.map(({ id, occurred_ms, isolate }) => [
        String(id),
        { occurredMs: Number(occurred_ms), isolate: isolate as string | null },
      ]),
    );
  }

  /** Returns the kept bytes of events. */
  bodies(ids: readonly string[]): readonly (readonly [id: string, body: string])[] {
    const query = "SELECT id, body FROM ledger WHERE body IS NOT NULL AND id IN (SELECT value FROM json_each(?))";
    return this.#sql.all(query, JSON.stringify(ids)).map(({ id, body }) => [String(id), String(body)]);
  }

  put(row: LedgerRow, nowMs: number): void {
    this.#sql.all(
      PUT,
      row.id,
      STATES.indexOf(row.state),
      WROTE.indexOf(row.wrote),
      STAGES.indexOf(row.stage),
      row.key === row.id ? null : row.key,
      row.body,
      row.replays,
      row.firstMs,
      row.lease,
      row.leaseUntilMs,
      writeAttempts(row.attempts),
      row.reason,
      row.occurredMs,
      row.requestId,
      nowMs,
      row.isolate ?? null,
      row.sequence ?? null,
      row.evidence?.leaf ?? null,
      row.evidence?.organization ?? null,
      row.evidence?.quarter ?? null,
    );
  }

  /** Returns runs of sequence numbers among the ids between two; reads every row between them. */
  sequenceRuns(fromId: string, untilId: string): readonly SequenceRun[] {
    const query = `SELECT isolate, MIN(sequence) AS first, MAX(sequence) AS last FROM (
        SELECT isolate, sequence, sequence - DENSE_RANK() OVER (PARTITION BY isolate ORDER BY sequence) AS run
        FROM ledger WHERE id >= ? AND id < ? AND sequence > 0)
      GROUP BY isolate, run`;
    return this.#sql.all<SequenceRun>(query, fromId, untilId);
  }

  /**
   * Returns event ids of a request id between two ids (exclusive), lowest first; reads every row between them, so keep the range
   * small.
   */
  idsOfRequest(requestId: string, afterId: string, untilId: string, limit: number): readonly string[] {
    const query = "SELECT id FROM ledger WHERE id > ? AND id < ? AND request_id = ? ORDER BY id LIMIT ?";
    return this.#sql.all(query, afterId, untilId, requestId, limit).map(({ id }) => String(id));
  }

  /** Notes that a record waits for its next attempt; not on the clean path. */
  wait(id: string, occurredMs: number, nowMs: number): void {
    this.#sql.all(
      "INSERT OR REPLACE INTO waiting (id, occurred_ms, touched_ms) VALUES (?, ?, ?)",
      id,
      occurredMs,
      nowMs,
    );
  }

  endWait(id: string): void {
    this.#sql.all("DELETE FROM waiting WHERE id = ?", id);
  }

  waitingSince(limit: number): readonly WaitingSince[] {
    return this.#sql.all<WaitingSince>(
      "SELECT id, touched_ms AS touchedMs FROM waiting ORDER BY touched_ms, id LIMIT ?",
      limit,
    );
  }

  /** Counts the records that wait for their next attempt, and returns the time of the oldest request among them. */
  waiting(): { readonly count: number; readonly oldestMs: number | null } {
    const [row] = this.#sql.all("SELECT COUNT(*) AS count, MIN(occurred_ms) AS oldest FROM waiting");
    return { count: Number(row?.["count"] ?? 0), oldestMs: (row?.["oldest"] as number | null | undefined) ?? null };
  }

  readCounters(): string | undefined {
    const [row] = this.#sql.all("SELECT json FROM counters WHERE id = 1");
    return row && String(row["json"]);
  }

  writeCounters(json: string): void {
    this.#sql.all("INSERT OR REPLACE INTO counters (id, json) VALUES (1, ?)", json);
  }
}

function readRow(found: Record<string, unknown>): LedgerRow {
  const id = String(found["id"]);
  return {
    id,
    state: STATES[Number(found["state"])] ?? "pending",
    wrote: WROTE[Number(found["wrote"])] ?? "maybe",
    stage: STAGES[Number(found["stage"])] ?? "outcome",
    key: (found["key"] as string | null) ?? id,
    body: found["body"] as string | null,
    replays: Number(found["replays"]),
    firstMs: Number(found["first_ms"]),
    lease: found["lease"] as string | null,
    leaseUntilMs: Number(found["lease_until_ms"]),
    attempts: readAttempts(found["attempts"] as string | null),
    reason: found["reason"] as string | null,
    occurredMs: Number(found["occurred_ms"]),
    requestId: found["request_id"] as string | null,
    ...(found["isolate"] === null ? {} : { isolate: found["isolate"] as string, sequence: Number(found["sequence"]) }),
    ...evidenceOf(found),
  };
}

function evidenceOf({ leaf, organization, quarter }: Record<string, unknown>): Pick<LedgerRow, "evidence"> {
  if (leaf === null || leaf === undefined) return {};
  const bytes = new Uint8Array(leaf as ArrayBuffer);
  return { evidence: { leaf: toHex(bytes), organization: String(organization), quarter: Number(quarter) } };
}

/** `[at, duration, outcome, wrote, status, reason]`, short because most rows keep one for months. */
function writeAttempts(attempts: readonly LedgerAttempt[]): string | null {
  if (attempts.length === 0) return null;
  return JSON.stringify(
    attempts.map(({ atMs, durationMs, outcome, wrote, status, reason }) => {
      const short = [atMs, durationMs, OUTCOMES.indexOf(outcome), WROTE.indexOf(wrote), status ?? 0];
      return reason === undefined ? short : [...short, reason];
    }),
  );
}

type ShortAttempt = readonly [number, number, number, number, number, string?];

function readAttempts(json: string | null): readonly LedgerAttempt[] {
  return json === null ? [] : (JSON.parse(json) as readonly ShortAttempt[]).map(readAttempt);
}

function readAttempt([atMs, durationMs, outcome, wrote, status, reason]: ShortAttempt): LedgerAttempt {
  return {
    atMs,
    durationMs,
    outcome: OUTCOMES[outcome] ?? "lost",
    wrote: WROTE[wrote] ?? "maybe",
    ...(status === 0 ? {} : { status }),
    ...(reason === undefined ? {} : { reason }),
  };
}
