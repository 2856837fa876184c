/** The single writer of the evidence: a Durable Object that seals delivered events and publishes the digests to the bucket. Almost no logic. */
import { DurableObject } from "cloudflare:workers";
import { quarterAt, quarterStartMs } from "../../shared/evidence/quarter.ts";
import { checkpointText, signedNote } from "../../shared/evidence/note.ts";
import { LEDGER_SHARDS } from "../../shared/limits.ts";
import { environmentOf, type Env, type PlatformEnv } from "../env.ts";
import { parseSettings } from "../variables.ts";
import { bodiesIn, closeQuarter, firstSealedQuarter } from "../ledger/client.ts";
import { sha256 } from "../ledger/leaf.ts";
import { durableSql } from "../storage/durable-sql.ts";
import { postCheckpoint, recordCheckpoint, stampCheckpoint } from "./anchor-senders.ts";
import { Anchors, type Anchor, type AnchorKind } from "./anchors.ts";
import { putCheckpoint, putObject } from "./bucket.ts";
import { copiesOf } from "./copies.ts";
import { factsOf } from "./facts.ts";
import { LogStore, type LogState } from "./log-store.ts";
import { sealQuarters, type SealPorts } from "./sealer.ts";
import { evidenceState, type EvidenceSettings } from "./settings.ts";
import { signText } from "./signer.ts";

/** Quarters sealed per call; the next call continues. Each quarter asks all shards. Our choice. */
const QUARTERS_MAX = 8;
/** Pause before the next call if more quarters have ended. */
const NEXT_CALL_MS = 1_000;

/** The state of the log, for monitoring. */
interface LogStatus {
  /** End of the last quarter that is sealed, ms since the epoch. */
  readonly sealedUntilMs: number;
  /** Digests that the published checkpoint covers. */
  readonly size: number;
  /** The anchor that has failed for longest. */
  readonly failing: ReturnType<Anchors["failing"]>;
}

export class EvidenceLog extends DurableObject<Env> {
  readonly #store: LogStore;
  readonly #anchors: Anchors;
  #isBehind = false;
  #running: Promise<LogState> | undefined;

  constructor(ctx: DurableObjectState, platformEnv: PlatformEnv) {
    const env = environmentOf(platformEnv);
    super(ctx, env);
    this.#store = new LogStore(durableSql(ctx.storage), sha256);
    this.#anchors = new Anchors(durableSql(ctx.storage));
    // A crash between a change and its alarm must not leave an anchor unsent.
    if (this.#anchors.nextMs() !== undefined) void ctx.blockConcurrencyWhile(() => this.#setAlarm());
  }

  /** Seals the quarters that have ended at a time; concurrent calls share one run. Rejects if a dependency does not answer. */
  async seal(nowMs: number): Promise<void> {
    const settings = this.#settings();
    if (!settings) return;
    // If it fails, the next cron round continues.
    this.#isBehind = false;
    this.#running ??= sealQuarters(this.#store, this.#ports(settings), nowMs, QUARTERS_MAX).finally(() => {
      this.#running = undefined;
    });
    const state = await this.#running;
    this.#isBehind = quarterStartMs(state.quarter + 1) <= nowMs;
    await this.#setAlarm();
  }

  /** The state of the log on disk. A log that has not begun counts as sealed until now. */
  status(nowMs: number): LogStatus {
    const state = this.#store.read();
    const sealedUntilMs = quarterStartMs(state?.quarter ?? quarterAt(nowMs));
    return { sealedUntilMs, size: state?.published ?? 0, failing: this.#anchors.failing() };
  }

  /** Size of the database in bytes. */
  storageBytes(): number {
    return this.ctx.storage.sql.databaseSize;
  }

  /** Never throws: the cron runs again and reports the problem. */
  override async alarm(): Promise<void> {
    const settings = this.#settings();
    if (!settings) return;
    await this.#anchors.run((anchor) => this.#sendAnchor(settings, anchor), this.env.clock.now);
    if (this.#isBehind) await this.seal(this.env.clock.now()).catch(() => undefined);
    await this.#setAlarm();
  }

  /** For the next anchor, or for quarters that one call could not seal. */
  async #setAlarm(): Promise<void> {
    const nowMs = this.env.clock.now();
    const dueMs = Math.min(this.#isBehind ? nowMs + NEXT_CALL_MS : Infinity, this.#anchors.nextMs() ?? Infinity);
    if (dueMs !== Infinity) await this.env.clock.setAlarm(this.ctx.storage, Math.max(dueMs, nowMs));
  }

  async #sendAnchor(settings: EvidenceSettings, anchor: Anchor): Promise<void> {
    const { bucket, organization, AUDIT_TSA_URL, AUDIT_ANCHOR_URL, AUDIT_ANCHOR_KEY: key } = settings;
    // Drop anchors whose variable has been removed.
    if (anchor.kind === "event" && organization !== undefined) await recordCheckpoint(this.env, organization, anchor);
    if (anchor.kind === "time_stamp" && AUDIT_TSA_URL) await stampCheckpoint(bucket, fetch, AUDIT_TSA_URL, anchor);
    if (anchor.kind === "webhook" && AUDIT_ANCHOR_URL) {
      await postCheckpoint(bucket, fetch, { url: AUDIT_ANCHOR_URL, key }, anchor, this.env.clock.now());
    }
  }

  #settings(): EvidenceSettings | undefined {
    const parsed = parseSettings(this.env);
    const state = parsed.ok ? evidenceState(this.env, parsed.settings) : undefined;
    return state?.kind === "on" ? state.settings : undefined;
  }

  #ports(settings: EvidenceSettings): SealPorts {
    const { env } = this;
    const { bucket, seed, origin, isCopying } = settings;
    return {
      sha256,
      shards: LEDGER_SHARDS,
      firstQuarter: () => firstSealedQuarter(env),
      close: (shard, quarter, mayFreeze) => closeQuarter(env, shard, quarter, mayFreeze),
      facts: (fromMs, untilMs) => factsOf(env, fromMs, untilMs),
      copies: isCopying
        ? (events, shardOf) => copiesOf(events, shardOf, (shard, ids) => bodiesIn(env, shard, ids))
        : undefined,
      put: (path, content) => putObject(bucket, path, content),
      publish: async (size, root) => {
        const text = checkpointText({ origin, size, root });
        const note = signedNote(text, [await signText(seed, origin, text)]);
        await putCheckpoint(bucket, note);
        this.#anchors.add(anchorKinds(settings), size, note, this.env.clock.now());
      },
    };
  }
}

function anchorKinds({ organization, AUDIT_TSA_URL, AUDIT_ANCHOR_URL }: EvidenceSettings): readonly AnchorKind[] {
  return [
    ...(organization === undefined ? [] : ["event" as const]),
    ...(AUDIT_TSA_URL === undefined ? [] : ["time_stamp" as const]),
    ...(AUDIT_ANCHOR_URL === undefined ? [] : ["webhook" as const]),
  ];
}
