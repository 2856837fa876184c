/** The one writer of the evidence: a single Durable Object that seals what was delivered and publishes it to the bucket. Almost no logic. */
import { DurableObject } from "cloudflare:workers";
import { quarterAt, quarterStartMs } from "../../shared/evidence/quarter.ts";
import { checkpointText, signedNote } from "../../shared/evidence/note.ts";
import { LEDGER_SHARDS } from "../../shared/limits.ts";
import { parseSettings, type Env } from "../env.ts";
import { bodiesIn, closeQuarter, firstSealedQuarter } from "../ledger/client.ts";
import { sha256 } from "../ledger/leaf.ts";
import { durableSql } from "../storage/durable-sql.ts";
import { putCheckpoint, putObject } from "./bucket.ts";
import { copiesOf } from "./copies.ts";
import { factsOf } from "./facts.ts";
import { LogStore, type LogState } from "./log-store.ts";
import { sealQuarters, type SealPorts } from "./sealer.ts";
import { evidenceState, type EvidenceSettings } from "./settings.ts";
import { signText } from "./signer.ts";

/** Quarters that one call seals; the next call goes on. Each asks all shards. Our choice. */
const QUARTERS_MAX = 8;
/** Pause before the next call if more quarters have ended. */
const NEXT_CALL_MS = 1_000;

/** Where the log stands, for whoever watches it. */
interface LogStatus {
  /** End of the last quarter that is sealed, ms since the epoch. */
  readonly sealedUntilMs: number;
  /** Digests that the published checkpoint covers. */
  readonly size: number;
}

export class EvidenceLog extends DurableObject<Env> {
  readonly #store: LogStore;
  #running: Promise<LogState> | undefined;

  constructor(ctx: DurableObjectState, env: Env) {
    super(ctx, env);
    this.#store = new LogStore(durableSql(ctx.storage), sha256);
  }

  /** Seals the quarters that have ended at a time; two calls at once share one sealing. Rejects if something does not answer. */
  async seal(nowMs: number): Promise<void> {
    const settings = this.#settings();
    if (!settings) return;
    this.#running ??= sealQuarters(this.#store, this.#ports(settings), nowMs, QUARTERS_MAX).finally(() => {
      this.#running = undefined;
    });
    const state = await this.#running;
    const isBehind = quarterStartMs(state.quarter + 1) <= Date.now();
    if (isBehind) await this.ctx.storage.setAlarm(Date.now() + NEXT_CALL_MS);
  }

  /** Where the log stands on disk. One that has not begun is as if sealed until now. */
  status(nowMs: number): LogStatus {
    const state = this.#store.read();
    return { sealedUntilMs: quarterStartMs(state?.quarter ?? quarterAt(nowMs)), size: state?.published ?? 0 };
  }

  /** Never throws: the cron comes again, and says what is wrong. */
  override async alarm(): Promise<void> {
    await this.seal(Date.now()).catch(() => undefined);
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
      },
    };
  }
}
