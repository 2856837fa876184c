/** Pauses and resumes delivery at its source: the flow-control key. https://upstash.com/docs/qstash/features/flowcontrol */
import type { Settings } from "../variables.ts";
import { qstashRequest, type Fetch } from "./request.ts";

type FlowSettings = Pick<Settings, "QSTASH_URL" | "QSTASH_TOKEN" | "AUDIT_FLOW_CONTROL_KEY">;

/** True where QStash has confirmed it; never throws. */
export async function switchFlow(settings: FlowSettings, fetcher: Fetch, to: "pause" | "resume"): Promise<boolean> {
  try {
    const key = encodeURIComponent(settings.AUDIT_FLOW_CONTROL_KEY);
    const response = await qstashRequest(settings, fetcher, `/v2/flowControl/${key}/${to}`, { method: "POST" });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}

/** Whether the key is paused at QStash; undefined where QStash does not say. */
export async function isFlowPaused(settings: FlowSettings, fetcher: Fetch): Promise<boolean | undefined> {
  try {
    const key = encodeURIComponent(settings.AUDIT_FLOW_CONTROL_KEY);
    const response = await qstashRequest(settings, fetcher, `/v2/flowControl/${key}`);
    const json: unknown = await response.json();
    if (!response.ok || typeof json !== "object" || json === null || !("isPaused" in json)) return undefined;
    return json.isPaused === true;
  } catch {
    return undefined;
  }
}
