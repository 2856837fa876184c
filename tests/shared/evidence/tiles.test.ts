/** The files of the log: a reader who has nothing but the tiles finds the same tree. */
import { expect, it } from "vitest";
import { fromHex, toHex } from "../../../shared/bytes.ts";
import { leafHash, nodeHash, rootOf } from "../../../shared/evidence/merkle.ts";
import { append, edgeRoot, entryBundle, tilePath, type Edge, type Tile } from "../../../shared/evidence/tiles.ts";
import { sha256 } from "./sha256.ts";

it.each([
  [0, 0, 1, "tile/0/000.p/1"],
  [0, 0, 256, "tile/0/000"],
  [1, 67, 112, "tile/1/067.p/112"],
  // The example of the specification.
  [0, 1_234_067, 256, "tile/0/x001/x234/067"],
  ["entries", 1_234_067, 8, "tile/entries/x001/x234/067.p/8"],
  ["entries", 1_000, 256, "tile/entries/x001/000"],
] as const)("names tile %s/%s with %s hashes as the specification does", (level, index, width, path) => {
  expect(tilePath(level, index, width)).toBe(path);
});

it("writes each entry behind its length", () => {
  const long = new Uint8Array(65_535).fill(7);
  expect(toHex(entryBundle([Uint8Array.of(1, 2), new Uint8Array()]))).toBe("000201020000");
  expect(toHex(entryBundle([long]).subarray(0, 3))).toBe("ffff07");
  expect(() => entryBundle([new Uint8Array(65_536)])).toThrow(RangeError);
});

/** More than two full tiles. */
const SIZE = 600;

it("writes the tiles of a growing tree, from which its root can be computed at each size", () => {
  const stored = new Map<string, Uint8Array>();
  const leaves: Uint8Array[] = [];
  let edge: Edge = [];
  for (let size = 0; size < SIZE; size++) {
    const leaf = leafHash(sha256, Uint8Array.of(size >> 8, size & 255));
    const { edge: grown, tiles } = append(sha256, edge, size, leaf);
    for (const { level, index, width, bytes } of tiles) stored.set(tilePath(level, index, width), bytes);
    edge = grown;
    leaves.push(leaf);
    expect(toHex(edgeRoot(sha256, edge))).toBe(toHex(rootOf(sha256, leaves)));
    if (leaves.length % 64 > 1) continue;
    const tileRoots = [0, 256].filter((start) => start + 256 <= leaves.length);
    expect(readLevel(stored, 0, leaves.length)).toEqual(leaves.map(toHex));
    expect(readLevel(stored, 1, tileRoots.length)).toEqual(
      tileRoots.map((start) => toHex(rootOf(sha256, leaves.slice(start, start + 256)))),
    );
  }
  expect(stored.has("tile/0/000.p/256")).toBe(false);
});

it("carries a full tile on to a third level", () => {
  const leaf = leafHash(sha256, new Uint8Array());
  const tileRoot = rootOf(sha256, Array<Uint8Array>(256).fill(leaf));
  const added: Tile[] = [];
  let edge: Edge = [new Uint8Array(), fromHex(toHex(tileRoot).repeat(255))];
  for (let size = 255 * 256; size < 256 * 256 + 3; size++) {
    const grown = append(sha256, edge, size, leaf);
    edge = grown.edge;
    added.push(...grown.tiles);
  }
  const whole = rootOf(sha256, Array<Uint8Array>(256).fill(tileRoot));
  const paths = new Map(added.map((tile) => [tilePath(tile.level, tile.index, tile.width), toHex(tile.bytes)]));
  expect(paths.get("tile/1/000")).toBe(toHex(tileRoot).repeat(256));
  expect(paths.get("tile/2/000.p/1")).toBe(toHex(whole));
  expect(paths.has("tile/0/256.p/3")).toBe(true);
  expect(toHex(edgeRoot(sha256, edge))).toBe(
    toHex(nodeHash(sha256, whole, nodeHash(sha256, nodeHash(sha256, leaf, leaf), leaf))),
  );
});

/** Reads a level as the specification tells a client to: full tiles, and one partial tile at the end. */
function readLevel(stored: ReadonlyMap<string, Uint8Array>, level: number, count: number): string[] {
  return Array.from({ length: count }, (_, at) => {
    const index = Math.floor(at / 256);
    const tile = stored.get(tilePath(level, index, Math.min(count - index * 256, 256)));
    return tile ? toHex(tile.subarray((at % 256) * 32, (at % 256) * 32 + 32)) : "missing";
  });
}
