/** One alert: a webhook signed as Standard Webhooks do it. https://www.standardwebhooks.com */
import { Webhook } from "standardwebhooks";
import type { Settings } from "../variables.ts";
import type { Fetch } from "../qstash/request.ts";
import type { Incident, Notice } from "./incidents.ts";

const ALERT_TIMEOUT_MS = 10_000;

/** What the receiver gets; it holds no data of any event. */
export function alertBody(incident: Incident) {
  const { kind, detail, sinceMs, untilMs } = incident;
  return {
    type: untilMs === null ? "audit_forwarder.incident.started" : "audit_forwarder.incident.ended",
    timestamp: new Date(untilMs ?? sinceMs).toISOString(),
    data: {
      incident: kind,
      detail,
      since: new Date(sinceMs).toISOString(),
      ...(untilMs === null ? {} : { until: new Date(untilMs).toISOString() }),
    },
  };
}

/** Sends one; true where the receiver took it or none is configured. Never throws. */
export async function sendAlert(settings: Settings, fetcher: Fetch, notice: Notice, nowMs: number): Promise<boolean> {
  if (!settings.AUDIT_ALERT_URL) return true;
  const body = JSON.stringify(alertBody(notice));
  const id = `alert_${notice.kind}_${notice.sinceMs}_${notice.untilMs ?? "start"}`;
  const at = new Date(nowMs);
  const headers: Record<string, string> = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(nowMs / 1000)),
  };
  const { AUDIT_ALERT_KEY: key } = settings;
  if (key) headers["webhook-signature"] = new Webhook(key).sign(id, at, body);
  try {
    const response = await fetcher(settings.AUDIT_ALERT_URL, {
      method: "POST",
      headers,
      body,
      redirect: "manual",
      signal: AbortSignal.timeout(ALERT_TIMEOUT_MS),
    });
    await response.body?.cancel();
    return response.ok;
  } catch {
    return false;
  }
}
