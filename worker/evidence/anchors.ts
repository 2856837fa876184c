/** Anchors: places outside this worker that receive each checkpoint. A failed anchor is retried until it succeeds. */
import { log } from "../log.ts";
import type { Sql } from "../storage/sql.ts";

/** `event`: WorkOS, once a day. `time_stamp`: an RFC 3161 authority. `webhook`: `AUDIT_ANCHOR_URL`. */
export type AnchorKind = "event" | "time_stamp" | "webhook";

export interface Anchor {
  readonly id: number;
  readonly kind: AnchorKind;
  readonly size: number;
  /** The whole note. */
  readonly checkpoint: string;
  readonly tries: number;
  readonly sinceMs: number;
}

/** Sends one checkpoint to its anchor; rejects if that did not accept it. */
type SendAnchor = (anchor: Anchor) => Promise<void>;

const FIRST_RETRY_MS = 60_000;
const LAST_RETRY_MS = 3_600_000;
/** Most anchors per round, so that a round ends within a minute even if each of them times out. Our choice. */
const ROUND_MAX = 4;
const DAY_MS = 86_400_000;

export class Anchors {
  readonly #sql: Sql;

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Queues a published checkpoint for each kind; an `event` only for the first checkpoint of a day (UTC). */
  add(kinds: readonly AnchorKind[], size: number, checkpoint: string, nowMs: number): void {
    const day = Math.floor(nowMs / DAY_MS);
    this.#sql.transaction(() => {
      for (const kind of kinds) {
        if (kind === "event" && !this.#beginDay(day)) continue;
        this.#sql.all(
          "INSERT INTO anchors (kind, size, checkpoint, since_ms, due_ms) VALUES (?, ?, ?, ?, ?)",
          kind,
          size,
          checkpoint,
          nowMs,
          nowMs,
        );
      }
    });
  }

  /** Sends a few of the due anchors, newest first, because a new checkpoint covers the older ones. Never rejects. */
  async run(send: SendAnchor, now: () => number): Promise<void> {
    for (const anchor of this.#due(now())) {
      try {
        await send(anchor);
        this.#sql.all("DELETE FROM anchors WHERE id = ?", anchor.id);
      } catch (error) {
        const waitMs = Math.min(FIRST_RETRY_MS * 2 ** anchor.tries, LAST_RETRY_MS);
        this.#sql.all("UPDATE anchors SET tries = tries + 1, due_ms = ? WHERE id = ?", now() + waitMs, anchor.id);
        const type = error instanceof Error ? error.message : "unknown";
        const { kind, size } = anchor;
        log("audit.anchor_failed", "WARN", {
          "audit.anchor_kind": kind,
          "audit.checkpoint_size": size,
          "error.type": type,
        });
      }
    }
  }

  /** When the next anchor is due, ms since the epoch; undefined if none waits. */
  nextMs(): number | undefined {
    const [row] = this.#sql.all<{ at: number | null }>("SELECT min(due_ms) AS at FROM anchors");
    return row?.at ?? undefined;
  }

  /** Returns the kind that has failed for longest, and since when; undefined if none has failed. */
  failing(): { readonly kind: AnchorKind; readonly sinceMs: number } | undefined {
    const query = "SELECT kind, since_ms AS sinceMs FROM anchors WHERE tries > 0 ORDER BY since_ms LIMIT 1";
    return this.#sql.all<{ kind: AnchorKind; sinceMs: number }>(query)[0];
  }

  #due(nowMs: number): readonly Anchor[] {
    const query = `SELECT id, kind, size, checkpoint, tries, since_ms AS sinceMs FROM anchors WHERE due_ms <= ?
      ORDER BY size DESC, id LIMIT ${ROUND_MAX}`;
    return this.#sql.all<Anchor>(query, nowMs);
  }

  #beginDay(day: number): boolean {
    const query = `INSERT INTO anchor_days (id, day) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET day = ?1
      WHERE day < ?1 RETURNING day`;
    return this.#sql.all(query, day).length > 0;
  }
}
