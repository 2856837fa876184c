/** What Cloudflare passes to the worker: bindings and variables. */
export { parseSettings, type Settings, type SettingsResult } from "./variables.ts";

/** Each Durable Object's client knows the class behind its binding: importing a class here would create a cycle. */
export interface Env {
  readonly LEDGER: DurableObjectNamespace;
  readonly OUTBOX: DurableObjectNamespace;
  readonly ARCHIVE: DurableObjectNamespace;
  readonly MONITOR: DurableObjectNamespace;
  /** The console's files; absent if the worker runs without them. */
  readonly ASSETS?: Fetcher;
  readonly EVIDENCE_LOG: DurableObjectNamespace;
  /** Optional directory of organizations and names. */
  readonly DIRECTORY?: KVNamespace;
  /** Optional bucket for the evidence; without it, none is kept. */
  readonly EVIDENCE?: R2Bucket;
  readonly [variable: string]: unknown;
}
