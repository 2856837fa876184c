/**
 * Brings records out of the isolate. Records that wait at the same time share a message, but no request ever awaits another's
 * promise: each has its own timers, and makes and sends whatever waits when they ring. A record that was taken by a request which
 * died is taken again by its own.
 */
import { utf8Bytes } from "../shared/bytes.ts";
import { type Deflate, packMessage } from "../shared/packed.ts";
import { deduplicationId, publishDelaySeconds } from "../shared/publish-headers.ts";
import type { AuditRecord } from "../shared/record.ts";
import { encodeMessage } from "../shared/wire.ts";
import type { GatewayLog } from "./gateway.ts";
import type { Options } from "./options.ts";
import type { Outlet } from "./outlet.ts";
import type { Outgoing } from "./paths.ts";
import { type Ports, sleep } from "./ports.ts";

/** Records of one isolate that may wait at once; more are lost, with a line in the log. Our choice. */
const WAITING_MAX = 2_000;
/** UTF-8 bytes of records in a message: packed, which may make them a third longer, they stay below `MESSAGE_MAX_BYTES`. */
const SHARED_MAX_BYTES = 350_000;
/** The response leaves within this time, so that what is computed after it costs the caller nothing (measured). Our choice. */
const LEAVING_MS = 10;
/** After which a record that another request is to send looks whether it was: by then a slow queue has answered too. Our choice. */
const LOOK_AFTER_MS = 400;
/** First and longest pause between two looks at a record that did not get out. Our choice. */
const PAUSE_FIRST_MS = 200;
const PAUSE_MAX_MS = 3_000;
/** Margin above the time that two paths may take, after which a taken record counts as left behind. */
const TAKEN_MARGIN_MS = 1_000;

/** A record to be made once the response has left. */
export interface Draft {
  readonly id: () => string;
  /** It may wait and ride with others: a delay must not hold back records that need none, nor what is asked for at once wait. */
  readonly shares?: boolean;
  /** It shares, and another request may make it, as nothing of its own request has to be awaited. */
  readonly plain?: boolean;
  make(): Promise<AuditRecord>;
}

interface Waiting extends Draft {
  made?: AuditRecord;
  takenUntilMs: number;
  out: boolean;
}

export type ShipperOptions = Pick<Options, "coalesceMs" | "maxRecords" | "timeoutMs" | "holdMs">;

export interface Shipper {
  /** Sends one record alone and at once, each path within `pathMs`; false where no path took it. */
  now(record: AuditRecord, pathMs: number): Promise<boolean>;
  /** Makes and sends a record, together with others where it may wait; keeps trying for `holdMs`, then logs it as lost. */
  ship(draft: Draft, log: GatewayLog): Promise<void>;
}

/** The shipper of one policy entry of one isolate. */
export function makeShipper(
  outlet: Outlet,
  options: ShipperOptions,
  ports: Pick<Ports, "nowMs" | "timer" | "deflate">,
): Shipper {
  const waiting = new Set<Waiting>();
  const leavingMs = Math.min(LEAVING_MS, options.coalesceMs);
  /** Whose request sends next for all that have come, so that no other may take it, when, and how many those are. */
  let gatherer: Waiting | undefined;
  let gatheredAtMs = 0;
  let gathered = 0;
  let lost = 0;

  async function ship(draft: Draft, log: GatewayLog): Promise<void> {
    const own: Waiting = { ...draft, takenUntilMs: 0, out: false };
    if (!own.plain) {
      await sleep(ports, leavingMs);
      own.made = await own.make();
    }
    if (waiting.size >= WAITING_MAX) return lose(own, log);
    waiting.add(own);
    const endMs = ports.nowMs() + options.holdMs;
    if (own.shares) await gather(own);
    for (let pauseMs = PAUSE_FIRST_MS; !own.out; pauseMs = Math.min(pauseMs * 2, PAUSE_MAX_MS)) {
      if (!isTaken(own)) {
        // Again at once where it was too much for the message that went.
        if (outlet.mayAsk() && (await sendWith(own))) continue;
        if (!isTaken(own) && ports.nowMs() >= endMs) return lose(own, log);
      }
      await sleep(ports, Math.min(pauseMs, Math.max(endMs - ports.nowMs(), PAUSE_FIRST_MS)));
    }
  }

  /**
   * Waits for others. The first of a message gathers for `coalesceMs`, unless another fills the message before, and sends. The rest
   * look after that whether it did: to be woken costs more than what is to be done then.
   */
  function gather(own: Waiting): Promise<void> {
    const nowMs = ports.nowMs();
    gathered = nowMs < gatheredAtMs ? gathered + 1 : 1;
    const isLast = gathered >= options.maxRecords;
    if (gathered > 1 && !isLast) return sleep(ports, gatheredAtMs - nowMs + LOOK_AFTER_MS);
    const waitMs = isLast ? leavingMs : options.coalesceMs;
    gatheredAtMs = isLast ? 0 : nowMs + waitMs;
    gatherer = own;
    return sleep(ports, waitMs);
  }

  /** Takes what waits beside `own`, oldest first, and sends it. */
  async function sendWith(own: Waiting): Promise<boolean> {
    let room = options.maxRecords;
    const taken = [...waiting].filter((one) => one === own || (own.shares && isFree(one) && --room > 0));
    const untilMs = ports.nowMs() + 2 * options.timeoutMs + TAKEN_MARGIN_MS;
    for (const one of taken) one.takenUntilMs = untilMs;
    const records = await Promise.all(taken.map(async (one) => (one.made ??= await one.make())));
    // More than they have on the wire.
    while (utf8Bytes(JSON.stringify(records)) > SHARED_MAX_BYTES) {
      records.pop();
      for (const one of taken.splice(records.length)) one.takenUntilMs = 0;
    }
    const sent = await outlet.send(await messageOf(records, ports.deflate), options.timeoutMs);
    for (const one of taken) {
      one.out = sent;
      one.takenUntilMs = 0;
      if (sent) waiting.delete(one);
    }
    return sent;
  }

  const isTaken = (one: Waiting) => ports.nowMs() < one.takenUntilMs;
  const isFree = (one: Waiting) => one.shares && !isTaken(one) && (one !== gatherer || ports.nowMs() >= gatheredAtMs);

  function lose(one: Waiting, log: GatewayLog): void {
    lost += 1;
    waiting.delete(one);
    log.error(
      `audit-log: record ${one.id()} is lost: neither QStash nor the worker takes messages; ${lost} lost so far`,
    );
  }

  return { ship, now: async (record, pathMs) => outlet.send(await messageOf([record]), pathMs, true) };
}

/** So many records are deflated; fewer are not worth the CPU time that it takes (measured). Our choice. */
const DEFLATE_MIN_RECORDS = 10;

/** Few records stay readable; where the runtime cannot deflate, so do many. */
async function messageOf(records: readonly AuditRecord[], deflate?: Deflate): Promise<Outgoing> {
  const message = encodeMessage(records);
  const packed =
    deflate && records.length >= DEFLATE_MIN_RECORDS
      ? await packMessage(message, deflate).catch(() => undefined)
      : undefined;
  return {
    body: packed ?? JSON.stringify(message),
    deduplicationId: deduplicationId(records),
    delaySeconds: publishDelaySeconds(records),
  };
}
