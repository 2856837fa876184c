/** The log as tiles: files of at most 256 hashes or entries that never change once they are full. https://c2sp.org/tlog-tiles */
import { foldRight, HASH_BYTES, nodeHash, perfectSubtrees, type Sha256 } from "./merkle.ts";

/** Hashes in a full tile, and entries in a full bundle. https://c2sp.org/tlog-tiles#merkle-tree */
export const TILE_WIDTH = 256;
/** Longest entry of a bundle, whose length takes two bytes. https://c2sp.org/tlog-tiles#log-entries */
export const ENTRY_MAX_BYTES = 65_535;

/**
 * The right edge of the tree: for each level the hashes of its tile that is not full, 0 to 255 of 32 bytes, one after the other. It
 * is all that is needed to add an entry and to know the root.
 */
export type Edge = readonly Uint8Array[];

/** One file of the log. */
export interface Tile {
  readonly level: number;
  readonly index: number;
  /** 1 to 256 hashes. */
  readonly width: number;
  readonly bytes: Uint8Array;
}

/** Returns the path of a tile, such as `tile/0/x001/067.p/112`. */
export function tilePath(level: number | "entries", index: number, width: number): string {
  return `tile/${level}/${indexPath(index)}${width === TILE_WIDTH ? "" : `.p/${width}`}`;
}

function indexPath(index: number): string {
  const groups = [String(index % 1_000).padStart(3, "0")];
  for (let rest = Math.floor(index / 1_000); rest > 0; rest = Math.floor(rest / 1_000)) {
    groups.unshift(`x${String(rest % 1_000).padStart(3, "0")}`);
  }
  return groups.join("/");
}

/** Adds the hash of an entry to a tree of `size` entries; returns the new edge, and the tiles that changed. */
export function append(
  sha256: Sha256,
  edge: Edge,
  size: number,
  hash: Uint8Array,
): { edge: Edge; tiles: readonly Tile[] } {
  const grown = [...edge];
  const tiles: Tile[] = [];
  let [added, count] = [hash, size];
  for (let level = 0; ; level++) {
    const bytes = concat([grown[level] ?? new Uint8Array(), added]);
    const width = bytes.length / HASH_BYTES;
    tiles.push({ level, index: Math.floor(count / TILE_WIDTH), width, bytes });
    if (width < TILE_WIDTH) {
      grown[level] = bytes;
      return { edge: grown, tiles };
    }
    grown[level] = new Uint8Array();
    added = tileRoot(sha256, bytes);
    count = Math.floor(count / TILE_WIDTH);
  }
}

/** Returns the root of the tree from its right edge. */
export function edgeRoot(sha256: Sha256, edge: Edge): Uint8Array {
  const roots = edge.toReversed().flatMap((bytes) => perfectSubtrees(sha256, hashesIn(bytes)));
  return foldRight(sha256, roots);
}

/** Returns a bundle: each entry behind its length in two bytes, the high one first. */
export function entryBundle(entries: readonly Uint8Array[]): Uint8Array {
  return concat(
    entries.flatMap((entry) => {
      if (entry.length > ENTRY_MAX_BYTES) throw new RangeError(`an entry has at most ${ENTRY_MAX_BYTES} bytes`);
      return [Uint8Array.of(entry.length >> 8, entry.length & 0xff), entry];
    }),
  );
}

function tileRoot(sha256: Sha256, bytes: Uint8Array): Uint8Array {
  let hashes = hashesIn(bytes);
  while (hashes.length > 1) {
    hashes = hashes.flatMap((left, at) => (at % 2 === 0 ? [nodeHash(sha256, left, hashes[at + 1] as Uint8Array)] : []));
  }
  return hashes[0] as Uint8Array;
}

function hashesIn(bytes: Uint8Array): Uint8Array[] {
  return Array.from({ length: bytes.length / HASH_BYTES }, (_, at) =>
    bytes.subarray(at * HASH_BYTES, (at + 1) * HASH_BYTES),
  );
}

function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
