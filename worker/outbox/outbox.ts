/** One shard of the outbox: stores spilled messages until QStash has accepted them. */
import { DurableObject } from "cloudflare:workers";
import { deadLetters } from "../dead-letters/client.ts";
import { environmentOf, type Env, type PlatformEnv } from "../env.ts";
import { parseSettings } from "../variables.ts";
import { untakenEntries } from "../delivery/dead-letters.ts";
import { reportIncident, resolveIncident } from "../monitor/client.ts";
import { publishMessage } from "../qstash/publication.ts";
import { durableSql } from "../storage/durable-sql.ts";
import { backoffMs, drainStep, STEP_MS } from "./drain.ts";
import { OutboxStore, type OutboxStatus, type Waiting } from "./store.ts";

/** Consecutive failures after which QStash counts as unreachable. Our choice. */
const FAILURES_UNTIL_INCIDENT = 3;

export class Outbox extends DurableObject<Env> {
  readonly #store: OutboxStore;
  #failures = 0;
  #failure: string | null = null;

  constructor(ctx: DurableObjectState, platformEnv: PlatformEnv) {
    const env = environmentOf(platformEnv);
    super(ctx, env);
    this.#store = new OutboxStore(durableSql(ctx.storage));
    // A crash between a write and its alarm must not strand the message; the cron calls every shard and so restores the alarm.
    if (this.#store.status().waiting > 0) void ctx.blockConcurrencyWhile(() => this.#wake());
  }

  /** Stores a message; returns only once it is on disk. */
  async add(message: Omit<Waiting, "seq">): Promise<void> {
    this.#store.add(message);
    await this.#wake();
  }

  /** Sets the alarm again if messages wait and the platform has given it up. The cron calls this every few minutes. */
  async status(): Promise<OutboxStatus> {
    const status = this.#store.status();
    if (status.waiting > 0) await this.#wake();
    return { ...status, failure: this.#failure, bytes: [this.ctx.storage.sql.databaseSize] };
  }

  /** Whether a message with the event id waits here. */
  holds(eventId: string): boolean {
    return this.#store.holds(eventId);
  }

  override async alarm(): Promise<void> {
    const { failure } = await this.#step();
    const { waiting } = this.#store.status();
    const hadFailed = this.#failures > 0;
    this.#failures = failure === null ? 0 : this.#failures + 1;
    this.#failure = failure;
    if (waiting > 0) await this.#setAlarm(failure === null ? STEP_MS : backoffMs(this.#failures));
    if (this.#failures === FAILURES_UNTIL_INCIDENT) {
      await reportIncident(
        this.env,
        "queue_unreachable",
        `publishing to QStash fails: ${failure}`,
        this.env.clock.now(),
      );
    }
    if (hadFailed && failure === null) await resolveIncident(this.env, "queue_unreachable");
  }

  async #wake(): Promise<void> {
    if ((await this.env.clock.getAlarm(this.ctx.storage)) === null) await this.#setAlarm(0);
  }

  #setAlarm(waitMs: number): Promise<void> {
    const { clock } = this.env;
    return clock.setAlarm(this.ctx.storage, clock.now() + waitMs);
  }

  async #step(): Promise<{ failure: string | null }> {
    const parsed = parseSettings(this.env);
    if (!parsed.ok) return { failure: "not_configured" };
    try {
      return await drainStep(this.#store, {
        publish: (message) => publishMessage(parsed.settings, fetch, message),
        refuse: (message, reason) => this.#refuse(message, reason),
      });
    } catch {
      return { failure: "archive_unreachable" };
    }
  }

  async #refuse({ body }: Waiting, reason: string): Promise<void> {
    const entries = await untakenEntries(new TextEncoder().encode(body), reason, this.env.clock.now());
    await deadLetters(this.env).park(entries);
  }
}
