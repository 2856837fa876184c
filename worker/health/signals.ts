/** What the entry reports to the monitor: refused calls, missing variables, and the result of the sweep. */
import { sweep, type SweepResult } from "../dead-letters/sweep.ts";
import type { Env } from "../env.ts";
import type { Settings, SettingsResult } from "../variables.ts";
import { RefusedCall, ROLE_TOO_LOW } from "../http/caller.ts";
import type { Refusal, RefusalPort } from "../http/pipeline.ts";
import { EXPIRED_TOKEN, WRONG_TOKEN } from "../http/token-caller.ts";
import { log } from "../log.ts";
import { monitor, reportIncident } from "../monitor/client.ts";
import { noteRefusal } from "../monitor/refusal-client.ts";

/** Most foreign URLs that `/health` names: entries with our label and another URL. Our choice. */
const FOREIGN_URLS_MAX = 10;

/** Counts a refused machine call, a wrong or expired token, and a role that is too low. Other errors are the operator's own mistakes. */
export const countRefusal: RefusalPort = (refusal, env, execution) => {
  const isMachine = refusal.access === "qstash" || refusal.access === "webhook";
  const reason = reasonOf(refusal);
  const isWrongToken = reason === WRONG_TOKEN;
  if (!isMachine && ![WRONG_TOKEN, EXPIRED_TOKEN, ROLE_TOO_LOW].includes(reason)) return;
  const call = {
    // All operator routes share one name, to keep the number of series small.
    route: isMachine ? refusal.path : "admin",
    reason,
    looksLikeQstash: refusal.error instanceof RefusedCall && refusal.error.looksLikeQstash,
    isWrongToken,
  };
  execution.waitUntil(noteRefusal(env, call, env.clock.now()));
};

function reasonOf({ error }: Refusal): string {
  return error instanceof RefusedCall ? error.reason : error.code;
}

/** Logs missing or malformed variables, and sends an alert if the alert's own variables are valid. */
export async function reportMissing(env: Env, parsed: Extract<SettingsResult, { ok: false }>): Promise<void> {
  const names = [...parsed.missing, ...parsed.malformed];
  const detail = `variables are missing or malformed: ${names.join(", ")}`;
  log("audit.not_configured", "ERROR", { "audit.variables": names });
  await reportIncident(env, "not_configured", detail, env.clock.now());
}

/** Runs the sweep and stores its result, whatever happens in between. */
export async function sweepAndTell(env: Env, settings: Settings): Promise<void> {
  const [swept] = await Promise.allSettled([sweep(env, settings)]);
  const result = swept.status === "fulfilled" ? swept.value : undefined;
  await monitor(env).round({ isSwept: result !== undefined && result.ended !== "failed", foreign: foreignOf(result) });
  if (swept.status === "rejected") throw swept.reason;
}

function foreignOf(result: SweepResult | undefined) {
  if (!result?.foreign) return undefined;
  return [...result.foreign].slice(0, FOREIGN_URLS_MAX).map(([url, count]) => ({ url, count }));
}
