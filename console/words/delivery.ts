/** The state of delivery in words. Pure. */
import type { Health, Pause } from "../api/answers.ts";
import type { ApiFailure } from "../api/client.ts";

interface DeliveryWords {
  readonly tone: "ok" | "warn" | "bad" | "unknown";
  /** A few words for the header. */
  readonly short: string;
  /** A sentence or two for the banner. */
  readonly long: string;
}

/** Three rounds of the cron, which runs every five minutes. */
const CRON_SILENT_MS = 15 * 60_000;

const PAUSED: Readonly<Record<Pause["by"], Omit<DeliveryWords, "tone">>> = {
  operator: {
    short: "Paused by an operator",
    long: "An operator has paused delivery. Messages wait in QStash. The gateway's API is not affected, and nothing is lost.",
  },
  credential: {
    short: "Paused: WorkOS refuses the API key",
    long: "WorkOS refuses the worker's API key. Messages wait in QStash. Set a valid WORKOS_API_KEY first, then resume.",
  },
  breaker: {
    short: "Paused: WorkOS is down",
    long: "WorkOS is down. Messages wait in QStash. The worker sends one of the waiting events as a probe and resumes by itself once WorkOS accepts it.",
  },
};

/** What resuming does; shown beside the button. */
export const RESUMING =
  "Resuming delivers the waiting messages at the usual rate. If the cause is still there, delivery pauses again by itself. Trying loses nothing.";

/** What pausing does. */
export const PAUSING =
  "Pausing keeps new messages in QStash. They use up no attempts, and callers of your API notice nothing.";

/** Describes delivery from the newest health, and from the failure of the last call if there was one. */
export function deliveryWords(
  health: Health | undefined,
  failure: ApiFailure | undefined,
  nowMs = Date.now(),
): DeliveryWords {
  if (failure?.status === 0) return { tone: "unknown", short: "The worker does not answer", long: failure.message };
  if (failure)
    return { tone: "bad", short: "Not delivering", long: `The worker accepts no messages. ${failure.message}` };
  if (!health) return { tone: "unknown", short: "Checking delivery", long: "The state of delivery is being loaded." };
  if (health.pause) return { tone: health.pause.by === "breaker" ? "warn" : "bad", ...PAUSED[health.pause.by] };
  if (health.incidents.length > 0)
    return {
      tone: "warn",
      short: "Delivering, with incidents",
      long: "Events are being delivered. Something needs your attention below.",
    };
  if (isCronSilent(health, nowMs))
    return {
      tone: "warn",
      short: "Delivering, checks are late",
      long: "Events are being delivered, but the worker's regular checks have not run for 15 minutes. Deploy the worker again.",
    };
  return { tone: "ok", short: "Delivering", long: "Events are being delivered to WorkOS." };
}

function isCronSilent({ status, cron }: Health, nowMs: number): boolean {
  const times = [cron.last_at, cron.last_sweep_at];
  return status === "degraded" && times.some((at) => at === null || nowMs - Date.parse(at) > CRON_SILENT_MS);
}
