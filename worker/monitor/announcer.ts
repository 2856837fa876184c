/** Opens and closes incidents, logs each once, and sends its alert until the receiver accepts it. */
import type { Env } from "../env.ts";
import { log } from "../log.ts";
import { alertBody, alertSettings, sendAlert } from "./alert.ts";
import type { Incident, IncidentKind, Incidents } from "./incidents.ts";

/** An alert that its receiver has refused for about half a day is given up, so that it does not delay newer ones. */
const MAX_TRIES = 75;

export class Announcer {
  readonly #incidents: Incidents;
  readonly #env: Env;
  #isPending: boolean;
  #sending: Promise<boolean> | undefined;

  constructor(incidents: Incidents, env: Env) {
    this.#incidents = incidents;
    this.#env = env;
    this.#isPending = incidents.notices().length > 0;
  }

  /** Returns true if the incident is new, so that an alert must go out. */
  open(kind: IncidentKind, detail: string, nowMs: number): boolean {
    if (!this.#incidents.open(kind, detail, nowMs)) return false;
    this.#isPending = true;
    logIncident({ kind, detail, sinceMs: nowMs, untilMs: null });
    return true;
  }

  /** Returns true if the incident was open, so that an alert must go out. */
  close(kind: IncidentKind, nowMs: number): boolean {
    const ended = this.#incidents.close(kind, nowMs);
    if (!ended) return false;
    this.#isPending = true;
    logIncident(ended);
    return true;
  }

  /** Returns true while an alert is still to be sent. */
  isPending(): boolean {
    return this.#isPending;
  }

  /** Sends waiting alerts; false if the receiver did not accept one. Only one run at a time: a second call joins the first. */
  send(): Promise<boolean> {
    this.#sending ??= this.#sendAll().finally(() => {
      this.#sending = undefined;
    });
    return this.#sending;
  }

  async #sendAll(): Promise<boolean> {
    const settings = alertSettings(this.#env);
    // Read again each time, because an incident can open or close while an alert is being sent.
    for (let [notice] = this.#incidents.notices(); notice; [notice] = this.#incidents.notices()) {
      const isTaken = await sendAlert(settings, fetch, notice, this.#env.clock.now());
      if (isTaken || notice.tries >= MAX_TRIES) this.#incidents.announced(notice.id);
      else {
        this.#incidents.failed(notice.id);
        return false;
      }
    }
    this.#isPending = false;
    return true;
  }
}

function logIncident(incident: Incident): void {
  const { incident: kind, detail, since, until } = alertBody(incident).data;
  log("audit.incident", "WARN", {
    "audit.incident": kind,
    "audit.detail": detail,
    "audit.since": since,
    "audit.until": until,
  });
}
