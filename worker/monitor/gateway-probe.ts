/** Calls an audited route of the gateway and waits for its record, to detect a gateway that sends nothing. */
import type { Env } from "../env.ts";
import type { Settings } from "../variables.ts";
import { findByRequest } from "../ledger/client.ts";
import type { Fetch } from "../qstash/request.ts";

const NOTE = "gateway_probe";
const TIMEOUT_MS = 10_000;
/** Consecutive probes without a record that make an incident. */
const SILENT_AFTER = 2;
/** Clocks of gateway and worker may differ by this much. Our choice. */
const SKEW_MS = 600_000;

/** The newest probe. */
interface Probe {
  readonly requestIds: readonly string[];
  readonly atMs: number;
  /** Consecutive probes whose record has not arrived. */
  readonly missed: number;
}

interface ProbeStore {
  get(key: string): unknown;
  put(key: string, value: object): void;
}

interface Round {
  readonly nowMs: number;
  /** Messages wait at QStash or in the outbox, and the record of a probe can be among them. */
  readonly isHeld: boolean;
}

/**
 * Checks the previous probe and makes the next one. Returns true while the gateway is silent. A record that has not arrived says
 * nothing while messages are held, as in an outage of WorkOS.
 */
export async function probeGateway(
  env: Env,
  settings: Settings,
  store: ProbeStore,
  fetcher: Fetch,
  { nowMs, isHeld }: Round,
): Promise<boolean> {
  const url = settings.AUDIT_PROBE_URL;
  if (url === undefined) return false;
  const before = store.get(NOTE) as Probe | undefined;
  const hasMissed = before !== undefined && !(await hasArrived(env, before, nowMs));
  const missed = hasMissed ? before.missed + (isHeld ? 0 : 1) : 0;
  const requestIds = await call(url, fetcher);
  store.put(NOTE, { requestIds, atMs: nowMs, missed } satisfies Probe);
  return missed >= SILENT_AFTER;
}

async function hasArrived(env: Env, { requestIds, atMs }: Probe, nowMs: number): Promise<boolean> {
  for (const id of requestIds) {
    const span = { sinceMs: atMs - SKEW_MS, untilMs: nowMs + SKEW_MS };
    const found = await findByRequest(env, { requestId: id, ...span, afterId: "", limit: 1 });
    if (found.length > 0) return true;
  }
  return false;
}

/** The request ids that the record may have: the one sent, and the one in the gateway's answer. */
async function call(url: string, fetcher: Fetch): Promise<readonly string[]> {
  const id = crypto.randomUUID();
  try {
    const response = await fetcher(url, {
      headers: { "zp-rid": id, "user-agent": "audit-forwarder-probe" },
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    await response.body?.cancel();
    const answered = response.headers.get("zp-rid");
    return answered === null || answered === id ? [id] : [id, answered];
  } catch {
    return [id];
  }
}
