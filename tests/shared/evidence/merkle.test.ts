/** Merkle trees against the vectors of Certificate Transparency and against the definition in RFC 6962, section 2.1. */
import fc from "fast-check";
import { expect, it } from "vitest";
import { fromHex, toHex } from "../../../shared/bytes.ts";
import { leafHash, nodeHash, rootOf } from "../../../shared/evidence/merkle.ts";
import { sha256 } from "./sha256.ts";

/** https://github.com/google/certificate-transparency/blob/master/cpp/merkletree/merkle_tree_test.cc */
const LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
const ROOTS = [
  "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
  "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
  "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
  "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
  "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
  "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
  "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
  "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
  "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
];

it.each(ROOTS.map((root, size) => ({ root, size })))("has the published root for $size entries", ({ root, size }) => {
  const leaves = LEAVES.slice(0, size).map((entry) => leafHash(sha256, fromHex(entry)));
  expect(toHex(rootOf(sha256, leaves))).toBe(root);
});

/** The definition of the RFC, word for word: the tree is split at the largest power of two below its size. */
function defined(leaves: readonly Uint8Array[]): Uint8Array {
  if (leaves.length <= 1) return leaves[0] ?? sha256();
  const split = 2 ** Math.floor(Math.log2(leaves.length - 1));
  return nodeHash(sha256, defined(leaves.slice(0, split)), defined(leaves.slice(split)));
}

it("has the root that the RFC defines, for any number of entries", () => {
  const entries = fc.array(fc.uint8Array({ maxLength: 4 }), { maxLength: 300, size: "max" });
  fc.assert(
    fc.property(entries, (given) => {
      const leaves = given.map((entry) => leafHash(sha256, entry));
      expect(rootOf(sha256, leaves)).toEqual(defined(leaves));
    }),
    { numRuns: 50 },
  );
});
