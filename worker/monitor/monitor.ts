/** The one place that knows whether delivery is paused and which incidents are open; a single Durable Object. */
import { DurableObject } from "cloudflare:workers";
import { parseSettings, type Env } from "../env.ts";
import { flowState, switchFlow } from "../qstash/flow-control.ts";
import { durableSql } from "../storage/durable-sql.ts";
import { alertBody, sendAlert } from "./alert.ts";
import { Incidents, type Incident, type IncidentKind } from "./incidents.ts";
import type { Pause } from "./pause.ts";

/** First wait before a call that failed is made again; it doubles up to the largest. Our choice. */
const RETRY_FIRST_MS = 5_000;
const RETRY_MAX_MS = 600_000;
/** An alert that its receiver has refused for about half a day is given up, so that it does not hold back the newer ones. */
const MAX_TRIES = 75;

export class Monitor extends DurableObject<Env> {
  readonly #incidents: Incidents;
  #tries = 0;
  #announcing: Promise<void> | undefined;
  /** Ends when the last call to QStash's switch has ended. */
  #switching: Promise<unknown> = Promise.resolve();

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#incidents = new Incidents(durableSql(ctx.storage));
  }

  pauseState(): Pause | null {
    return this.ctx.storage.kv.get<Pause>("pause") ?? null;
  }

  /** Pauses delivery: remembered first, then at QStash, again and again until that confirms it. */
  pause(reason: string, by: Pause["by"]): Promise<Pause> {
    return this.#inTurn(async () => {
      const known = this.pauseState();
      if (known) return known;
      const pause = { reason, by, sinceMs: Date.now(), confirmed: false };
      this.#keep(pause);
      await this.report("paused", `delivery is paused: ${reason}`);
      return this.#confirm(pause);
    });
  }

  /**
   * Forgets the pause, then resumes at QStash, so that no message comes too early; false where QStash does not confirm it, and
   * then delivery stays paused.
   */
  resume(): Promise<boolean> {
    return this.#inTurn(async () => {
      const pause = this.pauseState();
      this.ctx.storage.kv.delete("pause");
      const parsed = parseSettings(this.env);
      const isResumed = parsed.ok && (await switchFlow(parsed.settings, fetch, "resume"));
      if (isResumed) await this.resolve("paused");
      else if (pause) {
        this.#keep(pause);
        // The alarm may have come meanwhile and found no pause to confirm.
        if (!pause.confirmed) await this.#again();
      }
      return isResumed;
    });
  }

  /** Opens an incident; one that is open already is left alone. The alert goes out behind the answer. */
  async report(kind: IncidentKind, detail: string): Promise<void> {
    const nowMs = Date.now();
    if (!this.#incidents.open(kind, detail, nowMs)) return;
    log({ kind, detail, sinceMs: nowMs, untilMs: null });
    await this.#announceSoon();
  }

  async resolve(kind: IncidentKind): Promise<void> {
    const ended = this.#incidents.close(kind, Date.now());
    if (!ended) return;
    log(ended);
    await this.#announceSoon();
  }

  /** Ends an incident that has not been reported since a time. */
  async endQuiet(kind: IncidentKind, sinceMs: number): Promise<void> {
    if (this.#incidents.isQuiet(kind, sinceMs)) await this.resolve(kind);
  }

  incidents(): readonly Incident[] {
    return this.#incidents.list();
  }

  /**
   * Takes over what stands at QStash: a paused key that runs again is a resume, and a key that was paused there, or whose resume
   * was cut off, is a pause.
   */
  async reconcile(): Promise<void> {
    const switching = this.#switching;
    await switching;
    const parsed = parseSettings(this.env);
    const known = this.pauseState();
    if (!parsed.ok || known?.confirmed === false) return;
    const { kind } = await flowState(parsed.settings, fetch);
    // What QStash said is out of date where somebody pauses or resumes here meanwhile.
    if (switching !== this.#switching || kind === "unreachable" || (kind === "paused") === (known !== null)) return;
    if (kind === "running") {
      this.ctx.storage.kv.delete("pause");
      await this.resolve("paused");
    } else {
      this.#keep({ reason: "paused at QStash", by: "operator", sinceMs: Date.now(), confirmed: true });
      await this.report("paused", "delivery is paused: paused at QStash");
    }
  }

  override async alarm(): Promise<void> {
    if (this.pauseState()?.confirmed === false) {
      await this.#inTurn(async () => {
        const pause = this.pauseState();
        if (pause?.confirmed === false) await this.#confirm(pause);
      });
    }
    await this.#announce();
  }

  /** One after another: of two calls under way at once, the one asked first could reach QStash last. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#switching.then(work);
    this.#switching = done.catch(() => undefined);
    return done;
  }

  async #confirm(pause: Pause): Promise<Pause> {
    const parsed = parseSettings(this.env);
    const asked = { ...pause, confirmed: parsed.ok && (await switchFlow(parsed.settings, fetch, "pause")) };
    this.#keep(asked);
    if (!asked.confirmed) await this.#again();
    return asked;
  }

  /** The alarm stands first, so that a kill in between only delays the alert. */
  async #announceSoon(): Promise<void> {
    await this.ctx.storage.setAlarm(Date.now() + RETRY_FIRST_MS);
    this.ctx.waitUntil(this.#announce());
  }

  /** One at a time: whoever comes while messages go out needs no second copy of them. */
  #announce(): Promise<void> {
    this.#announcing ??= this.#announceAll().finally(() => {
      this.#announcing = undefined;
    });
    return this.#announcing;
  }

  async #announceAll(): Promise<void> {
    const parsed = parseSettings(this.env);
    if (!parsed.ok) return;
    // Read anew each time, because an incident can start or end while an alert is on its way.
    for (let [notice] = this.#incidents.notices(); notice; [notice] = this.#incidents.notices()) {
      if (await sendAlert(parsed.settings, fetch, notice, Date.now())) this.#incidents.announced(notice.id);
      else if (notice.tries >= MAX_TRIES) this.#incidents.announced(notice.id);
      else {
        this.#incidents.failed(notice.id);
        return this.#again();
      }
    }
    if (this.pauseState()?.confirmed ?? true) this.#tries = 0;
  }

  async #again(): Promise<void> {
    const waitMs = Math.min(RETRY_FIRST_MS * 2 ** this.#tries++, RETRY_MAX_MS);
    await this.ctx.storage.setAlarm(Date.now() + waitMs);
  }

  #keep(pause: Pause): void {
    this.ctx.storage.kv.put("pause", pause);
  }
}

function log(incident: Incident): void {
  console.warn(JSON.stringify({ severity_text: "WARN", "event.name": "audit.incident", ...alertBody(incident) }));
}
