import type { FlowControl } from "../options.ts";
import type { Database } from "./database.ts";

/** The configured limits of one flow-control key; 0 means no limit of that kind. */
export interface FlowKey {
  key: string;
  parallelism: number;
  rate: number;
  /** Seconds. */
  period: number;
  paused: boolean;
  pinnedParallelism: boolean;
  pinnedRate: boolean;
}

interface Row {
  key: string;
  parallelism: number;
  rate: number;
  period: number;
  paused: number;
  pinned_parallelism: number;
  pinned_rate: number;
}

export interface FlowKeys {
  get(key: string): FlowKey | undefined;
  list(): FlowKey[];
  /** Adopts the limits of a message, except pinned ones. Call it inside a write. */
  observe(flow: FlowControl): void;
  /** Changes a key, and creates it first if nobody has used it yet. Call it inside a write. */
  change(key: string, changes: Partial<FlowKey>): void;
}

/** Keeps the keys in memory, since every delivery asks for them, and on disk. */
export function createFlowKeys(database: Database): FlowKeys {
  const keys = new Map<string, FlowKey>();
  for (const row of database.all<Row>("SELECT * FROM flow_key")) keys.set(row.key, fromRow(row));

  function save(key: FlowKey): void {
    keys.set(key.key, key);
    database.run(
      `INSERT OR REPLACE INTO flow_key (key, parallelism, rate, period, paused, pinned_parallelism, pinned_rate)
       VALUES (?, ?, ?, ?, ?, ?, ?)`,
      key.key,
      key.parallelism,
      key.rate,
      key.period,
      Number(key.paused),
      Number(key.pinnedParallelism),
      Number(key.pinnedRate),
    );
  }
  const known = (key: string): FlowKey =>
    keys.get(key) ?? {
      key,
      parallelism: 0,
      rate: 0,
      period: 1,
      paused: false,
      pinnedParallelism: false,
      pinnedRate: false,
    };

  return {
    get: (key) => keys.get(key),
    list: () => [...keys.values()],
    observe(flow) {
      const key = known(flow.key);
      const next = { ...key };
      if (!key.pinnedParallelism) next.parallelism = flow.parallelism ?? 0;
      if (!key.pinnedRate) {
        next.rate = flow.rate ?? 0;
        next.period = flow.period ?? 1;
      }
      const same = next.parallelism === key.parallelism && next.rate === key.rate && next.period === key.period;
      if (!same || !keys.has(flow.key)) save(next);
    },
    change: (key, changes) => save({ ...known(key), ...changes }),
  };
}

function fromRow(row: Row): FlowKey {
  return {
    key: row.key,
    parallelism: row.parallelism,
    rate: row.rate,
    period: row.period,
    paused: row.paused === 1,
    pinnedParallelism: row.pinned_parallelism === 1,
    pinnedRate: row.pinned_rate === 1,
  };
}
