/** The one place that knows whether delivery is paused and which incidents are open; a single Durable Object. */
import { DurableObject } from "cloudflare:workers";
import { parseSettings, type Env } from "../env.ts";
import { isFlowPaused, switchFlow } from "../qstash/flow-control.ts";
import { alertBody, sendAlert } from "./alert.ts";
import { Incidents, type Incident, type IncidentKind } from "./incidents.ts";

/** First wait before a call that failed is made again; it doubles up to the largest. Our choice. */
const RETRY_FIRST_MS = 5_000;
const RETRY_MAX_MS = 600_000;

export interface Pause {
  readonly reason: string;
  readonly by: "credential" | "operator";
  readonly sinceMs: number;
  /** QStash has confirmed that it holds the messages back. */
  readonly confirmed: boolean;
}

export class Monitor extends DurableObject<Env> {
  readonly #incidents: Incidents;
  #tries = 0;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#incidents = new Incidents(ctx.storage.sql);
  }

  pauseState(): Pause | null {
    return this.ctx.storage.kv.get<Pause>("pause") ?? null;
  }

  /** Pauses delivery: remembered first, then at QStash, again and again until that confirms it. */
  async pause(reason: string, by: Pause["by"]): Promise<Pause> {
    const known = this.pauseState();
    if (known?.confirmed) return known;
    this.#keep(known ?? { reason, by, sinceMs: Date.now(), confirmed: false });
    this.#open("paused", `delivery is paused: ${reason}`);
    await this.#confirmPause();
    await this.#announce();
    return this.pauseState() ?? { reason, by, sinceMs: Date.now(), confirmed: false };
  }

  /** Resumes at QStash, then forgets the pause; false where QStash does not answer, and delivery stays paused. */
  async resume(): Promise<boolean> {
    const parsed = parseSettings(this.env);
    if (!parsed.ok || !(await switchFlow(parsed.settings, fetch, "resume"))) return false;
    await this.#forgetPause();
    return true;
  }

  /** Opens an incident; one that is open already is left alone. */
  async report(kind: IncidentKind, detail: string): Promise<void> {
    if (this.#open(kind, detail)) await this.#announce();
  }

  async resolve(kind: IncidentKind): Promise<void> {
    if (this.#close(kind)) await this.#announce();
  }

  /** Ends an incident that has not been reported since a time. */
  async endQuiet(kind: IncidentKind, sinceMs: number): Promise<void> {
    if (this.#incidents.isQuiet(kind, sinceMs)) await this.resolve(kind);
  }

  incidents(): readonly Incident[] {
    return this.#incidents.list();
  }

  /** Takes over what an operator did at QStash's own console: a paused key that runs again is a resume. */
  async reconcile(): Promise<void> {
    const parsed = parseSettings(this.env);
    if (!parsed.ok || !this.pauseState()?.confirmed) return;
    if ((await isFlowPaused(parsed.settings, fetch)) === false) await this.#forgetPause();
  }

  override async alarm(): Promise<void> {
    await this.#confirmPause();
    await this.#announce();
  }

  async #forgetPause(): Promise<void> {
    this.ctx.storage.kv.delete("pause");
    this.#close("paused");
    await this.#announce();
  }

  async #confirmPause(): Promise<void> {
    const pause = this.pauseState();
    const parsed = parseSettings(this.env);
    if (!pause || pause.confirmed || !parsed.ok) return;
    const confirmed = await switchFlow(parsed.settings, fetch, "pause");
    // A resume may have come while QStash was asked.
    if (this.pauseState() === null) return;
    this.#keep({ ...pause, confirmed });
    if (!confirmed) await this.#again();
  }

  async #announce(): Promise<void> {
    const parsed = parseSettings(this.env);
    if (!parsed.ok) return;
    for (const notice of this.#incidents.notices()) {
      if (await sendAlert(parsed.settings, fetch, notice, Date.now())) this.#incidents.announced(notice.id);
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

  #open(kind: IncidentKind, detail: string): boolean {
    const isNew = this.#incidents.open(kind, detail, Date.now());
    if (isNew) log({ kind, detail, sinceMs: Date.now(), untilMs: null });
    return isNew;
  }

  #close(kind: IncidentKind): boolean {
    const since = this.#incidents.list().find((incident) => incident.kind === kind);
    if (!since) return false;
    log({ ...since, untilMs: Date.now() });
    return this.#incidents.close(kind, Date.now());
  }
}

function log(incident: Incident): void {
  console.warn(JSON.stringify({ severity_text: "WARN", "event.name": "audit.incident", ...alertBody(incident) }));
}
