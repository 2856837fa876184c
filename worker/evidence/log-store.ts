/** What the log keeps on disk: its state, and what is not in the bucket yet. */
import { fromHex, toHex } from "../../shared/bytes.ts";
import { leafHash, type Sha256 } from "../../shared/evidence/merkle.ts";
import { append, TILE_WIDTH, type Edge, type Tile } from "../../shared/evidence/tiles.ts";
import { migrate } from "../storage/migration.ts";
import type { Sql } from "../storage/sql.ts";
import { digestHash, type Digest, type DigestFacts } from "./digest.ts";

/** The database, version by version; see `migrate`. */
export const STEPS: readonly string[] = [
  `
CREATE TABLE log (id INTEGER PRIMARY KEY, json TEXT NOT NULL);
CREATE TABLE entries (number INTEGER PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE tiles (
  level INTEGER NOT NULL, position INTEGER NOT NULL, width INTEGER NOT NULL, hashes TEXT NOT NULL, PRIMARY KEY (level, position)
) WITHOUT ROWID;
CREATE TABLE anchors (
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, size INTEGER NOT NULL, checkpoint TEXT NOT NULL, tries INTEGER NOT NULL DEFAULT 0,
  since_ms INTEGER NOT NULL, due_ms INTEGER NOT NULL
);
`,
  "CREATE TABLE anchor_days (id INTEGER PRIMARY KEY, day INTEGER NOT NULL);",
];

/** Event ids by shard. */
export type IdsByShard = Readonly<Record<string, readonly string[]>>;

/** The content of a quarter's digests. Once it is on disk, making the digests again gives the same result. */
export interface SealPlan {
  readonly facts: DigestFacts;
  /** The events of shards that did not close the quarter for good. All other shards return the same events again. */
  readonly few: IdsByShard;
}

export interface LogState {
  /** The next quarter to seal. */
  readonly quarter: number;
  /** Digests in the log. */
  readonly size: number;
  /** Digests that the published checkpoint covers. */
  readonly published: number;
  /** Hash of the last digest. */
  readonly previous: string | null;
  /** The right edge of the tree, each level as hexadecimal digits. */
  readonly edge: readonly string[];
  /** Events that are already in a digest, but that their shard will return once more. */
  readonly answeredAgain: IdsByShard;
  readonly plan: SealPlan | null;
}

export class LogStore {
  readonly sql: Sql;
  readonly #sha256: Sha256;

  constructor(sql: Sql, sha256: Sha256) {
    this.sql = sql;
    this.#sha256 = sha256;
    migrate(sql, STEPS);
  }

  /** Undefined before the log has begun. */
  read(): LogState | undefined {
    const [row] = this.sql.all<{ json: string }>("SELECT json FROM log WHERE id = 1");
    return row && (JSON.parse(row.json) as LogState);
  }

  keep(state: LogState): void {
    this.sql.all("INSERT OR REPLACE INTO log (id, json) VALUES (1, ?)", JSON.stringify(state));
  }

  /** Adds the digests of the planned quarter to the log in one transaction: from now on they are sealed. */
  commit(state: LogState, digests: readonly Digest[], answeredAgain: IdsByShard): LogState {
    return this.sql.transaction(() => {
      let edge: Edge = edgeOf(state);
      for (const { number, text } of digests) {
        this.sql.all("INSERT INTO entries (number, text) VALUES (?, ?)", number, text);
        const grown = append(this.#sha256, edge, number, leafHash(this.#sha256, new TextEncoder().encode(text)));
        edge = grown.edge;
        for (const tile of grown.tiles) this.#keepTile(tile);
      }
      const last = digests.at(-1);
      const next: LogState = {
        ...state,
        quarter: state.quarter + 1,
        size: state.size + digests.length,
        previous: last ? digestHash(this.#sha256, last.text) : state.previous,
        edge: edge.map(toHex),
        answeredAgain,
        plan: null,
      };
      this.keep(next);
      return next;
    });
  }

  /** The entries from a number on, in order. */
  entries(from: number): readonly string[] {
    const rows = this.sql.all<{ text: string }>("SELECT text FROM entries WHERE number >= ? ORDER BY number", from);
    return rows.map(({ text }) => text);
  }

  /** The tiles that are not in the bucket yet. */
  unpublishedTiles(): readonly Tile[] {
    type Found = { level: number; position: number; width: number; hashes: string };
    const rows = this.sql.all<Found>("SELECT * FROM tiles ORDER BY level, position");
    return rows.map(({ level, position, width, hashes }) => ({
      level,
      index: position,
      width,
      bytes: fromHex(hashes),
    }));
  }

  /** Marks the whole log as written to the bucket, and forgets what the next digest does not need. */
  published(state: LogState): LogState {
    return this.sql.transaction(() => {
      this.sql.all("DELETE FROM tiles");
      this.sql.all("DELETE FROM entries WHERE number < ?", Math.floor(state.size / TILE_WIDTH) * TILE_WIDTH);
      const next = { ...state, published: state.size };
      this.keep(next);
      return next;
    });
  }

  #keepTile({ level, index, width, bytes }: Tile): void {
    this.sql.all(
      "INSERT OR REPLACE INTO tiles (level, position, width, hashes) VALUES (?, ?, ?, ?)",
      level,
      index,
      width,
      toHex(bytes),
    );
  }
}

/** Returns the right edge of the tree. */
export function edgeOf({ edge }: LogState): Edge {
  return edge.map(fromHex);
}
