import type { Clock } from "./clock.ts";
import type { Lanes } from "./delivery/lanes.ts";
import type { Scheduler } from "./delivery/scheduler.ts";
import type { FaultBoard } from "./faults.ts";
import type { SigningKeys } from "./keys.ts";
import type { Limits } from "./options.ts";
import type { Database } from "./store/database.ts";
import type { FlowKeys } from "./store/flow-keys.ts";

/** The dependencies of the routes. */
export interface App {
  database: Database;
  flowKeys: FlowKeys;
  lanes: Lanes;
  scheduler: Scheduler;
  clock: Clock;
  faults: FaultBoard;
  keys: SigningKeys;
  limits: Limits;
  token: string;
  /** Most deliveries under way. */
  parallelism: number;
  /** Milliseconds for which a deduplication id is remembered. */
  dedupWindowMs: number;
  maxMessageBytes: number;
}
