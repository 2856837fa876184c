/** The switch at QStash: all our flow-control keys, because messages under a former key that stays paused would wait forever. */
import { listFlowKeys, switchFlow, type FlowKey } from "../qstash/flow-control.ts";
import { hasOwnMessages } from "../qstash/message-log.ts";
import type { Fetch } from "../qstash/request.ts";
import type { Settings } from "../variables.ts";

/** Unknown keys checked at once. Our choice. */
const ASKED_MAX = 20;

/** Our keys that QStash lists; it does not list a key that nothing was published with. */
export type OwnKeys =
  | { readonly kind: "known"; readonly keys: readonly FlowKey[] }
  /** QStash did not answer, or refused: `reason` is `network` or the status. */
  | { readonly kind: "unreachable"; readonly reason: string };

/** Our keys: the configured one, those in `used`, and any other under which messages for this worker wait. */
export async function ownKeys(settings: Settings, fetcher: Fetch, used: readonly string[]): Promise<OwnKeys> {
  const listed = await listFlowKeys(settings, fetcher);
  if (listed.kind === "unreachable") return listed;
  const own = new Set([settings.AUDIT_FLOW_CONTROL_KEY, ...used]);
  const unknown = listed.keys.filter(({ name, waiting }) => !own.has(name) && waiting > 0).slice(0, ASKED_MAX);
  const isOurs = await Promise.all(unknown.map(({ name }) => hasOwnMessages(settings, fetcher, name)));
  const found = unknown.filter((_, index) => isOurs[index]);
  return { kind: "known", keys: [...listed.keys.filter(({ name }) => own.has(name)), ...found] };
}

/** Returns true once QStash has paused the configured key and each of our other keys that it lists. Never throws. */
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

/** Returns true once QStash has resumed all our keys. Never throws. */
export async function resumeQueue(settings: Settings, fetcher: Fetch, used: readonly string[]): Promise<boolean> {
  const own = await ownKeys(settings, fetcher, used);
  const listed = own.kind === "known" ? own.keys.map(({ name }) => name) : used;
  const names = new Set([settings.AUDIT_FLOW_CONTROL_KEY, ...listed]);
  const resumed = await Promise.all([...names].map((name) => switchFlow(settings, fetcher, name, "resume")));
  return resumed.every(Boolean);
}

/** Names the keys other than the configured one that are paused and hold messages. */
export function heldKeys(configured: string, keys: readonly FlowKey[]): readonly string[] {
  const held = keys.filter(({ name, waiting, isPaused }) => isPaused && waiting > 0 && name !== configured);
  return held.map(({ name }) => name);
}

/**
 * What somebody changed in QStash's own console. `resumed`, `paused`: the state of the configured key differs from ours.
 * `incomplete`: another of our keys lets messages through.
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
