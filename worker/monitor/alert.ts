/** Sends one alert: a Standard Webhook. https://www.standardwebhooks.com */
import { Webhook } from "standardwebhooks";
import { Variables, type Settings } from "../variables.ts";
import type { Fetch } from "../qstash/request.ts";
import type { Incident, Notice } from "./incidents.ts";

const ALERT_TIMEOUT_MS = 10_000;

/** The payload; it holds no data of any event. */
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

type AlertSettings = Partial<Pick<Settings, "AUDIT_ALERT_URL" | "AUDIT_ALERT_KEY">>;

/** The variables of alerts alone, so that an alert can report another missing variable. A malformed one counts as absent. */
export function alertSettings(env: Readonly<Record<string, unknown>>): AlertSettings {
  const read = (name: "AUDIT_ALERT_URL" | "AUDIT_ALERT_KEY") =>
    Variables.shape[name].safeParse(env[name] === "" ? undefined : env[name]).data;
  return { AUDIT_ALERT_URL: read("AUDIT_ALERT_URL"), AUDIT_ALERT_KEY: read("AUDIT_ALERT_KEY") };
}

/** Sends an alert; true if the receiver accepted it or none is configured. Never throws. */
export async function sendAlert(
  settings: AlertSettings,
  fetcher: Fetch,
  notice: Notice,
  nowMs: number,
): Promise<boolean> {
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
