/** `GET /health`: ok, or what is wrong; never data or secrets. */
import { AuditError } from "../../shared/errors.ts";
import type { Env } from "../env.ts";
import type { Settings } from "../variables.ts";
import { evidenceState } from "../evidence/settings.ts";
import { jsonAnswer, problemAnswer } from "../http/answers.ts";
import { isoTime } from "../json-fields.ts";
import type { RouteContext } from "../http/route.ts";
import { outboxStatus } from "../outbox/client.ts";
import { waitingDetail } from "./evidence.ts";
import { configuredKeys, signingKeys } from "../signature.ts";
import { monitor } from "../monitor/client.ts";
import type { Incident } from "../monitor/incidents.ts";
import type { Pause } from "../monitor/pause.ts";
import { reportRefusals } from "../monitor/refusal-client.ts";
import type { Rounds } from "../monitor/rounds.ts";
import { BUILD } from "../version.ts";

/** Three cron rounds; the cron runs every five minutes. */
const CRON_SILENT_MS = 15 * 60_000;

/** 200 if the worker accepts messages (even while paused), otherwise 503. */
export async function health({ env, settings, request }: RouteContext): Promise<Response> {
  if (signingKeys(settings, request.url).length < configuredKeys(settings).length) {
    const detail = '"QSTASH_CURRENT_SIGNING_KEY" or another signing key is a public development key; set your own';
    throw new AuditError("invalid_variable", detail);
  }
  try {
    return jsonAnswer(await describe(env, settings, env.clock.now()));
  } catch {
    return problemAnswer(503, "unavailable", "Unavailable", "the worker's own storage does not answer");
  }
}

/** The cron cannot report its own silence, so `/health` does. */
function isCronSilent({ sinceMs, lastMs, lastSweepMs }: Rounds, nowMs: number): boolean {
  return [lastMs, lastSweepMs].some((atMs) => nowMs - (atMs ?? sinceMs) > CRON_SILENT_MS);
}

function isoOrNull(ms: number | null): string | null {
  return ms === null ? null : isoTime(ms);
}

async function describe(env: Env, settings: Settings, nowMs: number) {
  await reportRefusals(env);
  const [{ pause, nextProbeMs, incidents, rounds }, outbox] = await Promise.all([
    monitor(env).status(),
    outboxStatus(env),
  ]);
  const evidence = describeEvidence(env, settings);
  const isDegraded = incidents.length > 0 || evidence.state === "waiting" || isCronSilent(rounds, nowMs);
  return {
    version: BUILD.version,
    commit: BUILD.commit,
    jurisdiction: env["AUDIT_JURISDICTION"] || null,
    status: pause ? "paused" : isDegraded ? "degraded" : "ok",
    ...describePause(pause, nextProbeMs),
    outbox: {
      waiting: outbox.waiting,
      oldest_at: outbox.oldestMs === null ? null : isoTime(outbox.oldestMs),
      failure: outbox.failure,
    },
    cron: { last_at: isoOrNull(rounds.lastMs), last_sweep_at: isoOrNull(rounds.lastSweepMs) },
    evidence,
    policies: Object.entries(rounds.policies).map(([version, atMs]) => ({ version, last_seen_at: isoTime(atMs) })),
    foreign_messages: rounds.foreign,
    incidents: incidents.map(describeIncident),
  };
}

/** Whether evidence is kept; shown at once, because the incident opens only with the next cron round. */
function describeEvidence(env: Env, settings: Settings) {
  const state = evidenceState(env, settings);
  return state.kind === "waiting" ? { state: state.kind, detail: waitingDetail(state.names) } : { state: state.kind };
}

/** Whether delivery is paused, and what is known about the pause. */
export function describePause(pause: Pause | null, nextProbeMs: number | null) {
  if (!pause) return { paused: false };
  const { reason, by, sinceMs, confirmed } = pause;
  const probing = nextProbeMs === null ? {} : { next_probe_at: isoTime(nextProbeMs) };
  return { paused: true, pause: { reason, by, since: isoTime(sinceMs), confirmed_by_queue: confirmed, ...probing } };
}

function describeIncident({ kind, detail, sinceMs }: Incident) {
  return { kind, detail, since: isoTime(sinceMs) };
}
