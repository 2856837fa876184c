/** What Cloudflare hands the worker: bindings and variables. */
import type { Archive } from "./archive/archive.ts";
import type { Ledger } from "./ledger/ledger.ts";
import type { Monitor } from "./monitor/monitor.ts";
import type { Outbox } from "./outbox/outbox.ts";

export { parseSettings, type Settings, type SettingsResult } from "./variables.ts";

export interface Env {
  readonly LEDGER: DurableObjectNamespace<Ledger>;
  readonly OUTBOX: DurableObjectNamespace<Outbox>;
  readonly ARCHIVE: DurableObjectNamespace<Archive>;
  readonly MONITOR: DurableObjectNamespace<Monitor>;
  /** Optional directory of organizations and names. */
  readonly DIRECTORY?: KVNamespace;
  readonly [variable: string]: unknown;
}
