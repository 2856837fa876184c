/** Whether a Durable Object is nearly full. Pure. */

/** The share of its capacity from which a Durable Object is reported. */
const NEARLY_FULL = 0.7;

/** One database. */
export interface StorageUse {
  readonly object: "ledger" | "outbox" | "archive" | "monitor" | "evidence";
  readonly shard: number;
  readonly bytes: number;
}

/** Names the fullest database that is nearly full; undefined if there is none. Each holds `maxBytes`. */
export function nearlyFull(use: readonly StorageUse[], maxBytes: number): string | undefined {
  const [fullest] = use.toSorted((left, right) => right.bytes - left.bytes);
  if (!fullest || fullest.bytes <= NEARLY_FULL * maxBytes) return undefined;
  const percent = Math.floor((fullest.bytes / maxBytes) * 100);
  return `${fullest.object} ${fullest.shard} is ${percent} % full`;
}
