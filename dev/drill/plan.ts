/** The faults of one drill: which part fails, how, when and for how long. Pure; the same seed gives the same plan. */

export type Part = "gateway" | "queue" | "worker" | "workos";

type FaultKind =
  /** SIGKILL to the part's processes, and a new start afterwards. */
  | "kill"
  /** SIGSTOP, and SIGCONT afterwards. */
  | "stop"
  /** WorkOS answers 503, answers nothing, or cuts the connection once it has stored the event. */
  | "down"
  | "hang"
  | "cut"
  /** The queue's database cannot grow. */
  | "disk_full"
  /** The part's clock jumps. */
  | "clock";

export interface PlannedFault {
  readonly kind: FaultKind;
  readonly part: Part;
  /** Milliseconds after the load begins. */
  readonly atMs: number;
  readonly lastsMs: number;
  /** How far the clock jumps; for `clock` only. */
  readonly jumpMs?: number;
}

/** All faults of a drill. Each occurs at least once in every plan. */
export const FAULTS: readonly Pick<PlannedFault, "kind" | "part">[] = [
  ...(["gateway", "queue", "worker", "workos"] as const).flatMap((part) => [
    { kind: "kill" as const, part },
    { kind: "stop" as const, part },
  ]),
  { kind: "down", part: "workos" },
  { kind: "hang", part: "workos" },
  { kind: "cut", part: "workos" },
  { kind: "disk_full", part: "queue" },
  { kind: "clock", part: "queue" },
  { kind: "clock", part: "workos" },
];

/** Share of a slot during which its fault lasts; the rest is quiet, so that the parts recover. Our choice. */
const LASTS_FROM = 0.3;
const LASTS_TO = 0.8;
/** A slot is at most this long: a longer drill has more faults, not longer ones. Our choice. */
const SLOT_MAX_MS = 8000;
/** Clocks jump at most this far: well inside the 24 h for which WorkOS remembers a key. Our choice. */
const JUMP_MAX_MS = 600_000;

/**
 * Plans a drill of `lengthMs`: the time is cut into equal slots with one fault each, in an order that `random` decides.
 * WorkOS's clock also jumps back; a queue's clock cannot.
 */
export function planFaults(lengthMs: number, random: () => number): readonly PlannedFault[] {
  const rounds = Math.max(1, Math.floor(lengthMs / (SLOT_MAX_MS * FAULTS.length)));
  const order = Array.from({ length: rounds }, () => shuffled(FAULTS, random)).flat();
  const slotMs = Math.min(lengthMs / order.length, SLOT_MAX_MS);
  return order.map(({ kind, part }, slot) => {
    const lastsMs = slotMs * (LASTS_FROM + random() * (LASTS_TO - LASTS_FROM));
    const jumpMs = Math.round((part === "workos" ? random() * 2 - 1 : random()) * JUMP_MAX_MS);
    return {
      kind,
      part,
      atMs: Math.round(slot * slotMs),
      lastsMs: Math.round(lastsMs),
      ...(kind === "clock" && { jumpMs }),
    };
  });
}

function shuffled<T>(list: readonly T[], random: () => number): T[] {
  return list
    .map((item) => ({ item, key: random() }))
    .toSorted((a, b) => a.key - b.key)
    .map(({ item }) => item);
}

/** A generator of numbers from 0 (inclusive) to 1 (exclusive), determined by the seed: mulberry32 (github.com/bryc/code, PRNGs). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
