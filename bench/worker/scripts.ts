/** The handlers that are compared, each as a worker. */
import type { BareWorker } from "./bare-workerd.ts";
import { peerBundle, unpacedBundle } from "./bundles.ts";
import { NEXT_SIGNING_KEY, SIGNING_KEY } from "./messages.ts";

/** `withoutLedger`: our worker with a ledger that does nothing. `oursOnDisk`: its state is on this machine's disk. */
export type Handler = "floor" | "calls" | "sdk" | "withoutLedger" | "ours" | "oursOnDisk";

export const STORES = { LEDGER: "Ledger", OUTBOX: "Outbox", ARCHIVE: "Archive", MONITOR: "Monitor" };

export const ADMIN_TOKEN = "bench-admin-token-000001";

/** The variables of a worker; `sinkUrl` stands for WorkOS and QStash. */
export function bindingsFor(sinkUrl: string): Readonly<Record<string, string>> {
  return {
    WORKOS_API_KEY: "sk_bench",
    WORKOS_BASE_URL: sinkUrl,
    QSTASH_URL: sinkUrl,
    QSTASH_TOKEN: "a-token",
    QSTASH_CURRENT_SIGNING_KEY: SIGNING_KEY,
    QSTASH_NEXT_SIGNING_KEY: NEXT_SIGNING_KEY,
    AUDIT_INGEST_KEY: "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    AUDIT_ADMIN_TOKEN: ADMIN_TOKEN,
  };
}

/** The script of a handler with its variables; `sinkUrl` stands for WorkOS and QStash. */
export async function scriptOf(handler: Handler, sinkUrl: string): Promise<BareWorker> {
  const bindings = bindingsFor(sinkUrl);
  const name = handler.toLowerCase();
  if (handler === "floor" || handler === "calls" || handler === "sdk")
    return { name, script: await peerBundle(handler), bindings };
  const script = await unpacedBundle(handler === "withoutLedger" ? "free" : "own");
  return { name, script, bindings, durableObjects: STORES };
}
