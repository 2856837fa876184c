/** Hashes of a Merkle tree. Pure; each platform passes its own SHA-256. https://www.rfc-editor.org/rfc/rfc6962#section-2.1 */

/** SHA-256 of the parts, one after the other; 32 bytes. */
export type Sha256 = (...parts: readonly Uint8Array[]) => Uint8Array;

export const HASH_BYTES = 32;

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/** Returns the hash of an entry: SHA-256 of a zero byte and the entry. */
export function leafHash(sha256: Sha256, entry: Uint8Array): Uint8Array {
  return sha256(LEAF, entry);
}

/** Returns the hash of two neighbors: SHA-256 of a one byte and both hashes. */
export function nodeHash(sha256: Sha256, left: Uint8Array, right: Uint8Array): Uint8Array {
  return sha256(NODE, left, right);
}

/** Returns the root over the hashes of the entries, in their order; that of an empty tree is the SHA-256 of nothing. */
export function rootOf(sha256: Sha256, leaves: Iterable<Uint8Array>): Uint8Array {
  return foldRight(sha256, perfectSubtrees(sha256, leaves));
}

/**
 * Returns the roots of the perfect trees that make up a tree, the largest first. The leaves may themselves be roots of perfect trees of
 * one size.
 */
export function perfectSubtrees(sha256: Sha256, leaves: Iterable<Uint8Array>): Uint8Array[] {
  const roots: Uint8Array[] = [];
  let count = 0;
  for (const leaf of leaves) {
    let root = leaf;
    // As in a binary counter: each 1 that carries is a neighbor of the same size.
    for (let carry = count; carry % 2 === 1; carry = (carry - 1) / 2) {
      root = nodeHash(sha256, roots.pop() as Uint8Array, root);
    }
    roots.push(root);
    count += 1;
  }
  return roots;
}

/** Returns the root of a tree from the roots of its perfect trees, the largest first. */
export function foldRight(sha256: Sha256, roots: readonly Uint8Array[]): Uint8Array {
  const [first = sha256(), ...others] = roots.toReversed();
  return others.reduce((right, left) => nodeHash(sha256, left, right), first);
}
