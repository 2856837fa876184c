/** States that the history stores: what waits, and how many dead letters are open. Pure. */
import { DEAD_LETTER_CLASSES } from "../../shared/dead-letter.ts";
import { GAUGE_PREFIX } from "./history.ts";
import type { Numbers } from "../numbers.ts";

interface States {
  /** Records that were tried and wait for their next attempt. */
  readonly records: number;
  /** Spilled messages that wait for QStash. */
  readonly spilled: number;
  /** Messages that wait at QStash. */
  readonly messages: number;
  /** Open dead letters by class. */
  readonly open: readonly { readonly value: string | number | null; readonly count: number }[];
}

/** Returns the states as numbers of the history. */
export function gaugesOf({ records, spilled, messages, open }: States): Numbers {
  const counts = new Map(open.map(({ value, count }) => [value, count]));
  const byClass = DEAD_LETTER_CLASSES.map((name) => [`dead_letters_open_${name}`, counts.get(name) ?? 0] as const);
  const total = byClass.reduce((sum, [, count]) => sum + count, 0);
  const gauges = [["waiting", records + spilled + messages], ["dead_letters_open", total], ...byClass] as const;
  return Object.fromEntries(gauges.map(([name, value]) => [GAUGE_PREFIX + name, value]));
}
