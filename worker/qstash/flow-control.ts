/** Pauses and resumes delivery at its source: the flow-control key. https://upstash.com/docs/qstash/features/flowcontrol */
import type { Settings } from "../variables.ts";
import { qstashRequest, type Fetch } from "./request.ts";

type FlowSettings = Pick<Settings, "QSTASH_URL" | "QSTASH_TOKEN" | "AUDIT_FLOW_CONTROL_KEY">;

/** True where QStash has confirmed it, or does not know the key, which is then not paused; never throws. */
export async function switchFlow(settings: FlowSettings, fetcher: Fetch, to: "pause" | "resume"): Promise<boolean> {
  try {
    const key = encodeURIComponent(settings.AUDIT_FLOW_CONTROL_KEY);
    const response = await qstashRequest(settings, fetcher, `/v2/flowControl/${key}/${to}`, { method: "POST" });
    await response.body?.cancel();
    return response.ok || (to === "resume" && response.status === 404);
  } catch {
    return false;
  }
}

export type FlowState =
  | { readonly kind: "paused" | "running" }
  /** QStash did not answer, or refused: `reason` is `network` or the status. */
  | { readonly kind: "unreachable"; readonly reason: string };

/** Whether the key is paused at QStash. A key that nothing was published with yet is not known there, and not paused. */
export async function flowState(settings: FlowSettings, fetcher: Fetch): Promise<FlowState> {
  try {
    const key = encodeURIComponent(settings.AUDIT_FLOW_CONTROL_KEY);
    const response = await qstashRequest(settings, fetcher, `/v2/flowControl/${key}`);
    const json: unknown = await response.json();
    const isPaused = typeof json === "object" && json !== null && "isPaused" in json && json.isPaused === true;
    if (response.ok) return { kind: isPaused ? "paused" : "running" };
    return response.status === 404 ? { kind: "running" } : { kind: "unreachable", reason: `http_${response.status}` };
  } catch {
    return { kind: "unreachable", reason: "network" };
  }
}
