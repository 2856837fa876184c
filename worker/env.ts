/** What Cloudflare hands the worker: bindings and variables. */
export { parseSettings, type Settings, type SettingsResult } from "./variables.ts";

/** Each Durable Object's client knows the class behind its binding: a class here would import the module that imports this. */
export interface Env {
  readonly LEDGER: DurableObjectNamespace;
  readonly OUTBOX: DurableObjectNamespace;
  readonly ARCHIVE: DurableObjectNamespace;
  readonly MONITOR: DurableObjectNamespace;
  /** The console's files; absent where a worker runs without them. */
  readonly ASSETS?: Fetcher;
  readonly EVIDENCE_LOG: DurableObjectNamespace;
  /** Optional directory of organizations and names. */
  readonly DIRECTORY?: KVNamespace;
  /** Optional bucket of the evidence; without it none is kept. */
  readonly EVIDENCE?: R2Bucket;
  readonly [variable: string]: unknown;
}
