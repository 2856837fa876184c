/** Seals delivered events, and opens an incident if that has failed for a while. */
import type { Env } from "../env.ts";
import type { Settings } from "../variables.ts";
import { evidenceLog } from "../evidence/client.ts";
import { evidenceState } from "../evidence/settings.ts";
import { logFailure } from "../log.ts";
import { reportIncident, resolveIncident } from "../monitor/client.ts";

/** Two quarters that could not be sealed, and the current one. Our choice. */
const LATE_MS = 45 * 60_000;

/** An anchor is retried at least once an hour. Our choice. */
const ANCHOR_LATE_MS = 3 * 3_600_000;

/** One cron round. Does nothing if no bucket is bound. */
export async function sealAndTell(env: Env, settings: Settings, nowMs: number): Promise<void> {
  const state = evidenceState(env, settings);
  if (state.kind === "off") return;
  if (state.kind === "waiting") {
    return reportIncident(env, "evidence_not_sealed", waitingDetail(state.names), nowMs);
  }
  try {
    await evidenceLog(env).seal(nowMs);
  } catch (error) {
    logFailure({ task: "seal" }, error);
  }
  const { sealedUntilMs, failing } = await evidenceLog(env).status(nowMs);
  const detail = `nothing that was delivered since ${new Date(sealedUntilMs).toISOString()} is sealed`;
  if (nowMs - sealedUntilMs <= LATE_MS) await resolveIncident(env, "evidence_not_sealed");
  else await reportIncident(env, "evidence_not_sealed", detail, nowMs);
  if (!failing || nowMs - failing.sinceMs <= ANCHOR_LATE_MS) return resolveIncident(env, "anchor_failing");
  const since = new Date(failing.sinceMs).toISOString();
  await reportIncident(env, "anchor_failing", `no "${failing.kind}" anchor has succeeded since ${since}`, nowMs);
}

/** Names the variables that sealing waits for. */
export function waitingDetail(names: readonly string[]): string {
  return `sealing waits: ${names.map((name) => `"${name}"`).join(", ")} is missing or malformed`;
}
