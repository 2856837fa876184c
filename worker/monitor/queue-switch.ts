/** The switch at QStash: every flow-control key of ours, because what waits under a former key of a paused queue waits for ever. */
import { listFlowKeys, switchFlow, type FlowKey } from "../qstash/flow-control.ts";
import { hasOwnMessages } from "../qstash/message-log.ts";
import type { Fetch } from "../qstash/request.ts";
import type { Settings } from "../variables.ts";

/** Unknown keys that are asked about at a time. Our choice. */
const ASKED_MAX = 20;

/** The keys of ours that QStash lists; a key that nothing was published with is not among them. */
export type OwnKeys =
  | { readonly kind: "known"; readonly keys: readonly FlowKey[] }
  /** QStash did not answer, or refused: `reason` is `network` or the status. */
  | { readonly kind: "unreachable"; readonly reason: string };

/** Keys of ours: the configured one, those in `used`, and any other under which messages for this worker wait. */
export async function ownKeys(settings: Settings, fetcher: Fetch, used: readonly string[]): Promise<OwnKeys> {
  const listed = await listFlowKeys(settings, fetcher);
  if (listed.kind === "unreachable") return listed;
  const own = new Set([settings.AUDIT_FLOW_CONTROL_KEY, ...used]);
  const unknown = listed.keys.filter(({ name, waiting }) => !own.has(name) && waiting > 0).slice(0, ASKED_MAX);
  const isOurs = await Promise.all(unknown.map(({ name }) => hasOwnMessages(settings, fetcher, name)));
  const found = unknown.filter((_, index) => isOurs[index]);
  return { kind: "known", keys: [...listed.keys.filter(({ name }) => own.has(name)), ...found] };
}

/** Returns true once QStash has paused the configured key and every other key of ours that it lists. Never throws. */
export async function pauseQueue(settings: Settings, fetcher: Fetch, used: readonly string[]): Promise<boolean> {
  const configured = settings.AUDIT_FLOW_CONTROL_KEY;
  const others = async () => {
    const own = await ownKeys(settings, fetcher, used);
    const names = own.kind === "known" ? own.keys.map(({ name }) => name).filter((name) => name !== configured) : [];
    return Promise.all(names.map((name) => switchFlow(settings, fetcher, name, "pause")));
  };
  const [isPaused, rest] = await Promise.all([switchFlow(settings, fetcher, configured, "pause"), others()]);
  return isPaused && rest.every(Boolean);
}

/** Returns true once QStash has resumed every key of ours. Never throws. */
export async function resumeQueue(settings: Settings, fetcher: Fetch, used: readonly string[]): Promise<boolean> {
  const own = await ownKeys(settings, fetcher, used);
  const listed = own.kind === "known" ? own.keys.map(({ name }) => name) : used;
  const names = new Set([settings.AUDIT_FLOW_CONTROL_KEY, ...listed]);
  const resumed = await Promise.all([...names].map((name) => switchFlow(settings, fetcher, name, "resume")));
  return resumed.every(Boolean);
}

/**
 * What somebody changed at QStash's own console. `resumed`, `paused`: the configured key says otherwise than we do. `incomplete`: another
 * key of ours lets messages through.
 */
export function changeAtQueue(
  isPausedHere: boolean,
  configured: string,
  keys: readonly FlowKey[],
): "resumed" | "paused" | "incomplete" | undefined {
  const isPausedThere = keys.some(({ name, isPaused }) => isPaused && name === configured);
  if (isPausedHere !== isPausedThere) return isPausedThere ? "paused" : "resumed";
  return isPausedHere && keys.some(({ waiting, isPaused }) => waiting > 0 && !isPaused) ? "incomplete" : undefined;
}
